/**
 * Public ids: a prefix that says what the thing is, and 80 random bits in lower-case base 32.
 * The random part holds only [a-z2-7], so an id may stand in a host name, a container name, a stack
 * name and a file name as it is.
 */
import { randomFillSync } from 'node:crypto';

const alphabet = Buffer.from('abcdefghijklmnopqrstuvwxyz234567');
const randomLength = 16;

/** The letters of many ids at once, for every request has one. Each is used once. */
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
  if (poolAt === pool.length) refillPool();
  const start = poolAt;
  poolAt += randomLength;
  return `${prefix}_${pool.toString('latin1', start, poolAt)}`;
}

function refillPool(): void {
  randomFillSync(pool);
  for (let at = 0; at < pool.length; at++) pool[at] = alphabet[(pool[at] ?? 0) & 31] ?? 0;
  poolAt = 0;
}

/** A regular expression that matches exactly the ids of one prefix. */
export function idPattern(prefix: IdPrefix): RegExp {
  return new RegExp(`^${prefix}_[a-z2-7]{${randomLength}}$`);
}
