import { randomBytes } from 'node:crypto';
import { Readable, type Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test from 'ava';
import { createFileSealer, SealedFileError } from '../../../src/lib/sealed-file.ts';

const sealer = createFileSealer(Buffer.alloc(32, 1));
const pieceBytes = 64 * 1024;
const sealedPieceBytes = pieceBytes + 16;
const headerBytes = 28;

/** Sends bytes through in chunks that fit no piece. */
async function pass(through: Transform, bytes: Buffer): Promise<Buffer> {
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += 10_007) yield bytes.subarray(at, at + 10_007);
  };
  return await buffer(Readable.from(chunks(), { objectMode: false }).pipe(through));
}

async function passOrFail(through: Transform, bytes: Buffer): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    through.once('error', reject);
    pass(through, bytes).then(resolve, reject);
  });
}

for (const size of [0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 3 * pieceBytes]) {
  test(`a file of ${size} bytes opens as it was sealed`, async (t) => {
    const clear = randomBytes(size);
    const sealed = await pass(sealer.seal('here'), clear);
    t.true((await passOrFail(sealer.open('here'), sealed)).equals(clear));
    if (size > 16) t.is(sealed.indexOf(clear.subarray(0, 16)), -1);
  });
}

test('the same file is sealed differently each time', async (t) => {
  const clear = Buffer.from('the same');
  const [one, other] = [
    await pass(sealer.seal('here'), clear),
    await pass(sealer.seal('here'), clear),
  ];
  t.false(one.subarray(headerBytes).equals(other.subarray(headerBytes)));
});

test('no other master key and no other place opens it', async (t) => {
  const sealed = await pass(sealer.seal('here'), Buffer.from('text'));
  const error = { instanceOf: SealedFileError };
  await t.throwsAsync(passOrFail(sealer.open('there'), sealed), error);
  const other = createFileSealer(Buffer.alloc(32, 2));
  await t.throwsAsync(passOrFail(other.open('here'), sealed), {
    ...error,
    message: /another master key/,
  });
});

test('whatever was done to a sealed file, it does not open', async (t) => {
  const sealed = await pass(sealer.seal('here'), randomBytes(3 * pieceBytes + 5));
  const piece = (n: number): Buffer =>
    sealed.subarray(headerBytes + n * sealedPieceBytes, headerBytes + (n + 1) * sealedPieceBytes);
  const head = sealed.subarray(0, headerBytes);
  const flip = (at: number): Buffer => {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    return changed;
  };
  const spoilt: Record<string, Buffer> = {
    'a byte of the header': flip(20),
    'the first byte': flip(headerBytes),
    'a byte in the middle': flip(headerBytes + sealedPieceBytes + 7),
    'the last byte': flip(sealed.length - 1),
    'an end that is cut off': sealed.subarray(0, -1),
    'a last piece that is missing': sealed.subarray(0, headerBytes + 3 * sealedPieceBytes),
    'pieces that changed places': Buffer.concat([head, piece(1), piece(0), piece(2), piece(3)]),
    'a piece that is there twice': Buffer.concat([head, piece(0), piece(0), piece(1), piece(3)]),
    'something behind it': Buffer.concat([sealed, Buffer.from('more')]),
    'nothing at all': Buffer.alloc(0),
    'a header alone': head,
    'no sealed file': Buffer.from('REDIS0010'.repeat(20)),
  };
  for (const [what, bytes] of Object.entries(spoilt)) {
    const opening = passOrFail(sealer.open('here'), bytes);
    await t.throwsAsync(opening, { instanceOf: SealedFileError }, what);
  }
});
