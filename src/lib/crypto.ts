/**
 * The few cryptographic pieces that SwiftCache needs, all from node:crypto.
 *
 * Guarantees: a sealed value opens only with the master key it was sealed with and only in the place
 * (table, column, row) it was sealed for; a changed byte is noticed. Format: `v1:<key id>:<nonce>:<tag
 * and ciphertext>`, base64url parts. The key id allows several keys to live side by side later on.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hash,
  hkdfSync,
  randomBytes,
} from 'node:crypto';

const nonceBytes = 12;
const tagBytes = 16;

/** The lower-case hex SHA-256 of a text; how keys are stored (they hold 128 random bits or more). */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

/** A new secret of `bytes` random bytes, as lower-case hex. */
export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

/** Encrypts and decrypts values at rest. `place` names the row and column, e.g. `instances/inst_…/password`. */
export interface Sealer {
  seal(plaintext: string, place: string): string;
  /** @throws when the value was changed, moved to another place, or sealed with another key. */
  open(sealed: string, place: string): string;
}

/** Makes the sealer of one 32-byte master key (AES-256-GCM, the place as additional data). */
export function createSealer(masterKey: Buffer): Sealer {
  const key = Buffer.from(hkdfSync('sha256', masterKey, '', 'swiftcache/sealer/v1', 32));
  const keyId = createHash('sha256').update(key).digest('hex').slice(0, 8);
  return {
    seal(plaintext, place) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
      const sealed = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      const body = Buffer.concat([cipher.getAuthTag(), sealed]);
      return `v1:${keyId}:${nonce.toString('base64url')}:${body.toString('base64url')}`;
    },
    open(sealed, place) {
      const [version, id, nonceText, bodyText] = sealed.split(':');
      if (version !== 'v1' || id !== keyId || !nonceText || !bodyText) {
        throw new Error(`the value at ${place} was sealed with another master key or format`);
      }
      const body = Buffer.from(bodyText, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonceText, 'base64url'), {
        authTagLength: tagBytes,
      })
        .setAAD(Buffer.from(place))
        .setAuthTag(body.subarray(0, tagBytes));
      return decipher.update(body.subarray(tagBytes), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}

/** Gives the fingerprint of a text: the same text, the same fingerprint, and nothing of it can be guessed. */
export type Fingerprint = (text: string) => string;

/** Makes the fingerprints of one 32-byte master key (HMAC-SHA256, lower-case hex). */
export function createFingerprint(masterKey: Buffer): Fingerprint {
  const key = Buffer.from(hkdfSync('sha256', masterKey, '', 'swiftcache/fingerprint/v1', 32));
  return (text) => createHmac('sha256', key).update(text, 'utf8').digest('hex');
}
