/** What clients may send, damaged by chance, and the same bytes cut anew. */
import type { Chance } from './random.ts';
import { randomStream } from './random-streams.ts';

const scene = {
  prefix: '~',
  keyId: 'key_aaaaaaaaaaaaaaaa',
  secret: `sc_live_${'1'.repeat(32)}`,
  otherKeyId: 'key_bbbbbbbbbbbbbbbb',
  otherSecret: `sc_live_${'2'.repeat(32)}`,
};
const bytesMax = 4_000;
/** What a parser looks at: damage is likelier to matter here. */
const telling = Buffer.from('*$\r\n\0"\'\\ -0123456789');

/** A stream of commands with a few bytes changed, put in or taken out. */
export function damagedFrames(chance: Chance): Buffer {
  const { signIn, body } = randomStream(chance, scene);
  const whole = chance.oneIn(2) ? body : Buffer.concat([signIn.door, body]);
  let bytes = Buffer.from(whole.subarray(0, bytesMax));
  for (let count = chance.below(4); count > 0 && bytes.length > 0; count -= 1) {
    const place = chance.below(bytes.length);
    const byte = chance.oneIn(3) ? chance.bytes(1) : Buffer.from([chance.pick([...telling])]);
    const kept = chance.pick([
      place,
      place + 1,
      Math.min(place + 1 + chance.below(20), bytes.length),
    ]);
    bytes = Buffer.concat([bytes.subarray(0, place), byte, bytes.subarray(kept)]);
  }
  return bytes;
}

/** Cuts bytes into chunks: a byte each, a few large ones, or anything between. */
export function cutAnywhere(chance: Chance, bytes: Buffer): Buffer[] {
  const longest = chance.pick([1, 3, 20, 300, bytesMax]);
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = start + 1 + chance.below(longest);
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}
