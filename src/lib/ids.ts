/**
 * Public ids: a prefix that says what the thing is, and 80 random bits in lower-case base 32.
 * The random part holds only [a-z2-7], so an id may stand in a host name, a container name, a stack
 * name and a file name as it is.
 */
import { randomFillSync } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const randomLength = 16;

/** Random bytes are fetched for many ids at once: every request has one. Each byte is used once. */
const pool = Buffer.alloc(256 * randomLength);
let poolAt = pool.length;

export type IdPrefix =
  | 'org'
  | 'inst'
  | 'key'
  | 'acct'
  | 'user'
  | 'sess'
  | 'inv'
  | 'aud'
  | 'op'
  | 'bkp'
  | 'req'
  | 'swc';

/** Gives a new id such as `inst_k3v…`: the prefix, `_`, 16 characters (80 bits of randomness). */
export function newId<P extends IdPrefix>(prefix: P): `${P}_${string}` {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  let text = '';
  for (const end = poolAt + randomLength; poolAt < end; poolAt++) {
    text += alphabet[(pool[poolAt] ?? 0) & 31];
  }
  return `${prefix}_${text}`;
}

/** A regular expression that matches exactly the ids of one prefix. */
export function idPattern(prefix: IdPrefix): RegExp {
  return new RegExp(`^${prefix}_[a-z2-7]{${randomLength}}$`);
}
