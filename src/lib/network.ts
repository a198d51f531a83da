/** Addresses as limits count them. */
import { createHmac, randomBytes } from 'node:crypto';
import ipaddr from 'ipaddr.js';

const bucketCount = 65_536;

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

/**
 * Makes a function that gives each network one of a fixed number of names, so that what is counted by them is
 * bounded whoever sends from wherever. Nobody outside can tell who shares a name with whom.
 */
export function createNetworkBuckets(): (ip: string | null | undefined) => string {
  const secret = randomBytes(32);
  return (ip) => {
    const digest = createHmac('sha256', secret).update(networkOf(ip)).digest();
    return String(digest.readUInt32BE() % bucketCount);
  };
}
