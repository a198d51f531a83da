/** Addresses as limits count them. */
import ipaddr from 'ipaddr.js';

/**
 * Names what counts as one place on the network: an IPv4 address (also one written as IPv6), or the /64 of
 * an IPv6 address, because whoever has one of those has 2^64. What is no address is `unknown`.
 */
export function networkOf(ip: string | null | undefined): string {
  if (!ip || !ipaddr.isValid(ip)) return 'unknown';
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return address.toByteArray().slice(0, 8).join('.');
}
