/** Headers of the PROXY protocol as balancers write them. */

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Version 2. @param rest the addresses and what follows them. */
export function binaryHeader(
  versionAndCommand: number,
  familyAndTransport: number,
  rest: readonly number[],
): Buffer {
  const fixed = Buffer.from([
    versionAndCommand,
    familyAndTransport,
    rest.length >> 8,
    rest.length & 255,
  ]);
  return Buffer.concat([signature, fixed, Buffer.from(rest)]);
}

/** Version 2 of a client with this IPv4 address. */
export function headerOf(address: string, port: number): Buffer {
  const from = address.split('.').map(Number);
  return binaryHeader(0x21, 0x11, [...from, 127, 0, 0, 1, port >> 8, port & 255, 0x18, 0xeb]);
}
