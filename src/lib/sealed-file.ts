/**
 * Files at rest: sealed and opened as streams, so that no file has to fit into memory.
 *
 * Guarantees: a sealed file opens only with the master key it was sealed with and only in the place it was
 * sealed for; a byte that was changed, a piece that was moved and an end that is missing are all noticed,
 * and nothing of a piece is given before that piece was checked. An end that is missing is noticed only
 * there: whoever reads must not act on a file before its stream has ended well.
 *
 * Format: `SCF1`, key id (8 bytes), salt (16 bytes), then pieces of 64 KiB, each AES-256-GCM with its tag
 * behind it. Every file has a key of its own (HKDF of the master key, the salt and the place), and a
 * piece's nonce is its number and whether it is the last: the STREAM construction of Hoang, Reyhanitabar,
 * Rogaway and Vizár.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';

const magic = Buffer.from('SCF1');
const keyIdBytes = 8;
const saltBytes = 16;
const headerBytes = magic.length + keyIdBytes + saltBytes;
const tagBytes = 16;
const pieceBytes = 64 * 1024;

/** The file was changed, is not whole, or was sealed for another place or with another master key. */
export class SealedFileError extends Error {}

export interface FileSealer {
  /** Takes a file in clear and gives it sealed. */
  seal(place: string): Transform;
  /** Takes a sealed file and gives it in clear; fails with a SealedFileError. */
  open(place: string): Transform;
}

/** Makes the file sealer of one 32-byte master key. */
export function createFileSealer(masterKey: Buffer): FileSealer {
  const derive = (salt: Buffer, info: string): Buffer =>
    Buffer.from(hkdfSync('sha256', masterKey, salt, info, 32));
  const base = derive(Buffer.alloc(0), 'swiftcache/file-sealer/v1');
  const keyId = createHash('sha256').update(base).digest().subarray(0, keyIdBytes);
  const fileKey = (salt: Buffer, place: string) => derive(salt, `swiftcache/file/v1/${place}`);
  return {
    seal(place) {
      const salt = randomBytes(saltBytes);
      const key = fileKey(salt, place);
      const stream = createPieces(pieceBytes, (piece, nonce) => {
        const cipher = createCipheriv('aes-256-gcm', key, nonce);
        return Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
      });
      stream.push(Buffer.concat([magic, keyId, salt]));
      return stream;
    },
    open(place) {
      let key: Buffer | undefined;
      const readHeader = (header: Buffer): void => {
        if (!header.subarray(0, magic.length).equals(magic)) {
          throw new SealedFileError('the file is none that this service sealed');
        }
        if (!header.subarray(magic.length, magic.length + keyIdBytes).equals(keyId)) {
          throw new SealedFileError('the file was sealed with another master key');
        }
        key = fileKey(header.subarray(magic.length + keyIdBytes), place);
      };
      const openPiece = (piece: Buffer, nonce: Buffer): Buffer => {
        if (!key || piece.length < tagBytes) throw new SealedFileError('the file is not whole');
        const end = piece.length - tagBytes;
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
        decipher.setAuthTag(piece.subarray(end));
        const clear = decipher.update(piece.subarray(0, end));
        try {
          return Buffer.concat([clear, decipher.final()]);
        } catch (cause) {
          throw new SealedFileError('the file was changed or is not whole', { cause });
        }
      };
      return createPieces(pieceBytes + tagBytes, openPiece, readHeader);
    },
  };
}

/**
 * Cuts what comes into pieces and gives what `work` makes of each. The last is known by the end of the
 * stream alone, so a whole piece waits for the byte after it.
 */
function createPieces(
  size: number,
  work: (piece: Buffer, nonce: Buffer) => Buffer,
  readHeader?: (header: Buffer) => void,
): Transform {
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  let needsHeader = readHeader !== undefined;
  const takeHeader = (): boolean => {
    if (!needsHeader) return true;
    if (rest.length < headerBytes) return false;
    readHeader?.(rest.subarray(0, headerBytes));
    rest = rest.subarray(headerBytes);
    needsHeader = false;
    return true;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        while (takeHeader() && rest.length > size) {
          this.push(work(rest.subarray(0, size), nonceOf(number, false)));
          rest = rest.subarray(size);
          number += 1;
        }
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        takeHeader();
        done(null, work(rest, nonceOf(number, true)));
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 7);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}
