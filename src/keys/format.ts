/**
 * Keys: what they look like and how they are recognised.
 *
 * Guarantees: a key holds at least 128 random bits; only its SHA-256 is ever kept (no stretching is
 * needed for random secrets); a text that is not of the format is refused before anything is looked up.
 */
import { randomHex, sha256Hex } from '../lib/crypto.ts';

const dataKeyPattern = /^sc_live_[0-9a-f]{32}$/;
const accountKeyPattern = /^sk_live_[0-9a-f]{32,128}$/;

/** A secret just made: `secret` is shown once, `hash` is kept. */
export interface NewSecret {
  readonly secret: string;
  readonly hash: string;
}

/** Makes a data key: `sc_live_` and 32 hex digits (128 random bits). */
export function createDataSecret(): NewSecret {
  return withHash(`sc_live_${randomHex(16)}`);
}

/** Makes an account key: `sk_live_` and 48 hex digits (192 random bits). */
export function createAccountSecret(): NewSecret {
  return withHash(`sk_live_${randomHex(24)}`);
}

export function isDataSecret(text: string): boolean {
  return dataKeyPattern.test(text);
}

export function isAccountSecret(text: string): boolean {
  return accountKeyPattern.test(text);
}

function withHash(secret: string): NewSecret {
  return { secret, hash: sha256Hex(secret) };
}
