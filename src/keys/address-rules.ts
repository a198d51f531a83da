/**
 * From where a key may be used: addresses and ranges, IPv4 and IPv6.
 *
 * Guarantee: what is kept is written in one way only, so two lists that mean the same are the same; an
 * IPv4 address is the same address where IPv6 carries it (`::ffff:192.0.2.1`), which is how a socket for
 * both tells it.
 */
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

/** The length of the part of an IPv4-mapped IPv6 address that stands before the IPv4 address. */
const mappedPrefixBits = 96;

const parsedLists = new WeakMap<readonly string[], readonly Range[]>();

/** The one way to write an address or a range (`2001:DB8::1/32` is `2001:db8::/32`); undefined for neither. */
export function normaliseAddressRule(text: string): string | undefined {
  const range = parseRule(text);
  if (!range) return undefined;
  const [address, bits] = range;
  const shown = isIPv4(address) ? address.toString() : address.toRFC5952String();
  return bits === bitsOf(address) ? shown : `${shown}/${bits}`;
}

/**
 * Whether a key with these rules may be used from an address; without rules, from anywhere.
 * @param address as a socket or a request tells it; what is no address is allowed only by no rules.
 */
export function allowsAddress(rules: readonly string[], address: string | undefined): boolean {
  if (rules.length === 0) return true;
  if (address === undefined || !ipaddr.isValid(address)) return false;
  const from = ipaddr.process(address);
  return readRanges(rules).some(([base, bits]) => {
    return base.kind() === from.kind() && from.match(base, bits);
  });
}

/** A key's rules are a list that does not change, asked about at every request. */
function readRanges(rules: readonly string[]): readonly Range[] {
  const known = parsedLists.get(rules);
  if (known) return known;
  const ranges = rules.map(parseRule).filter((range) => range !== undefined);
  parsedLists.set(rules, ranges);
  return ranges;
}

function parseRule(text: string): Range | undefined {
  const [, base = '', bitsText] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  // Not 0x7f.1 and the like: whoever writes such a thing may mean another address than Redis would.
  if (!ipaddr.IPv4.isValidFourPartDecimal(base) && !ipaddr.IPv6.isValid(base)) return undefined;
  const given = ipaddr.parse(base);
  const bits = bitsText === undefined ? bitsOf(given) : Number(bitsText);
  if (bits > bitsOf(given)) return undefined;
  if (isIPv4(given) || !given.isIPv4MappedAddress()) return maskRange(given, bits);
  // A wider range would hold addresses of both kinds.
  if (bits < mappedPrefixBits) return undefined;
  return maskRange(given.toIPv4Address(), bits - mappedPrefixBits);
}

/** The range without the bits that do not count. */
function maskRange(address: Address, bits: number): Range {
  const cidr = `${address.toString()}/${bits}`;
  const base = isIPv4(address)
    ? ipaddr.IPv4.networkAddressFromCIDR(cidr)
    : ipaddr.IPv6.networkAddressFromCIDR(cidr);
  return [base, bits];
}

function isIPv4(address: Address): address is ipaddr.IPv4 {
  return address.kind() === 'ipv4';
}

function bitsOf(address: Address): number {
  return isIPv4(address) ? 32 : 128;
}
