/** Secrets of sessions and invitations: 256 random bits, of which only the SHA-256 is kept. */
import { randomBytes } from 'node:crypto';
import type { NewSecret } from '../keys/format.ts';
import { sha256Hex } from '../lib/crypto.ts';

const secretPattern = /^[\w-]{43}$/;

/** Makes a secret that may stand in a cookie and in a link as it is. */
export function createSecret(): NewSecret {
  const secret = randomBytes(32).toString('base64url');
  return { secret, hash: sha256Hex(secret) };
}

/** Whether a text has the form of such a secret: what has not is not looked up. */
export function isSecret(text: string): boolean {
  return secretPattern.test(text);
}
