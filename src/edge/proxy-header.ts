/**
 * The PROXY protocol, versions 1 and 2: the header by which a balancer says whose connection it passes on
 * (haproxy.org, doc/proxy-protocol.txt).
 *
 * Guarantees: the same bytes give the same answer however they were split; at most `headerBytesMax` bytes
 * are waited for; what the specification does not allow is malformed, never guessed at. What a header says
 * is only as true as its sender: the caller knows whom to believe. Nothing here does input or output.
 */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A header with the usual additions takes some 200 bytes; the protocol would allow 65,551. */
export const headerBytesMax = 4_096;

export interface Source {
  readonly address: string;
  readonly port: number;
}

export type HeaderRead =
  | { readonly kind: 'incomplete' }
  /** `source` is undefined where the balancer speaks for itself or does not know. */
  | { readonly kind: 'header'; readonly size: number; readonly source: Source | undefined }
  /** `problem` holds nothing that was sent. */
  | { readonly kind: 'malformed'; readonly problem: string };

const textSignature = Buffer.from('PROXY ');
const binarySignature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Whether these first bytes of a connection are a header's; a part of one does not count. */
export function beginsProxyHeader(bytes: Buffer): boolean {
  return startsWith(bytes, textSignature) || startsWith(bytes, binarySignature);
}

/** Reads the header at the beginning of a connection that must have one. */
export function readProxyHeader(bytes: Buffer): HeaderRead {
  if (bytes.length === 0) return incomplete;
  const signature = bytes[0] === textSignature[0] ? textSignature : binarySignature;
  const length = Math.min(bytes.length, signature.length);
  if (!bytes.subarray(0, length).equals(signature.subarray(0, length))) {
    return malformed('no PROXY protocol header');
  }
  if (length < signature.length) return incomplete;
  return signature === textSignature ? readTextHeader(bytes) : readBinaryHeader(bytes);
}

const incomplete = { kind: 'incomplete' } as const;

function malformed(problem: string): HeaderRead {
  return { kind: 'malformed', problem };
}

function startsWith(bytes: Buffer, signature: Buffer): boolean {
  return bytes.subarray(0, signature.length).equals(signature);
}

const textFamilies = new Map([
  ['TCP4', isIPv4],
  ['TCP6', isPlainIPv6],
]);
/** The longest line that the specification knows, its end included. */
const textBytesMax = 107;

function readTextHeader(bytes: Buffer): HeaderRead {
  const end = bytes.subarray(0, textBytesMax).indexOf('\r\n');
  if (end === -1) {
    return bytes.length < textBytesMax ? incomplete : malformed('a PROXY line without an end');
  }
  const size = end + 2;
  const [family = '', ...rest] = bytes.toString('latin1', textSignature.length, end).split(' ');
  // Whatever an unknown source is described with is to be passed over.
  if (family === 'UNKNOWN') return { kind: 'header', size, source: undefined };
  const isAddress = textFamilies.get(family);
  if (!isAddress) return malformed('a PROXY line of an unknown family');
  const [address = '', destination = '', portText = '', destinationPort = '', ...more] = rest;
  const port = parsePort(portText);
  const isWhole = isAddress(address) && isAddress(destination) && more.length === 0;
  if (!isWhole || port === undefined || parsePort(destinationPort) === undefined) {
    return malformed('a PROXY line with bad addresses');
  }
  return { kind: 'header', size, source: { address, port } };
}

/** An address as it is, without a zone (`fe80::1%eth0`), which means nothing on another machine. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function parsePort(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,4})$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

const prefixBytes = 16;
/** By the family's number: the bytes of one address, and of the whole block of addresses. */
const families: Readonly<Record<number, { addressBytes: number; blockBytes: number }>> = {
  1: { addressBytes: 4, blockBytes: 12 },
  2: { addressBytes: 16, blockBytes: 36 },
  // Two paths of sockets, of which none is an address of a client.
  3: { addressBytes: 0, blockBytes: 216 },
};
const streams = 1;

function readBinaryHeader(bytes: Buffer): HeaderRead {
  if (bytes.length < prefixBytes) return incomplete;
  const versionAndCommand = bytes.readUInt8(12);
  const size = prefixBytes + bytes.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2) return malformed('a PROXY header of an unknown version');
  const command = versionAndCommand & 0xf;
  if (command > 1) return malformed('a PROXY header with an unknown command');
  if (size > headerBytesMax) return malformed('a PROXY header that is too long');
  if (command === 1) {
    const problem = findFamilyProblem(bytes.readUInt8(13), size - prefixBytes);
    if (problem) return malformed(problem);
  }
  if (bytes.length < size) return incomplete;
  // A balancer that asks on its own account, e.g. whether the door lives, says no address.
  const source = command === 0 ? undefined : readSource(bytes);
  return { kind: 'header', size, source };
}

function findFamilyProblem(familyAndTransport: number, blockBytes: number): string | undefined {
  // Of an unspecified family nothing is to be read.
  if (familyAndTransport === 0) return undefined;
  const family = families[familyAndTransport >> 4];
  if (!family) return 'a PROXY header of an unknown family';
  if ((familyAndTransport & 0xf) !== streams) return 'a PROXY header of no stream';
  return blockBytes < family.blockBytes ? 'a PROXY header without its addresses' : undefined;
}

function readSource(bytes: Buffer): Source | undefined {
  const { addressBytes = 0 } = families[bytes.readUInt8(13) >> 4] ?? {};
  if (addressBytes === 0) return undefined;
  const address = [...bytes.subarray(prefixBytes, prefixBytes + addressBytes)];
  const port = bytes.readUInt16BE(prefixBytes + 2 * addressBytes);
  return { address: ipaddr.fromByteArray(address).toString(), port };
}
