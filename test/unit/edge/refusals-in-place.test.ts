import test from 'ava';
import { RefusalsInPlace } from '../../../src/edge/refusals-in-place.ts';

/** What Redis 7.0.15 says to such a word. */
function answerUnknown(request: Buffer): Buffer {
  const word = request.toString('latin1').split('\r\n')[2];
  return Buffer.from(`-ERR unknown command '${word}', with args beginning with: \r\n`);
}

const render = (reason: string): Buffer => Buffer.from(`-NO ${reason}\r\n`);

test('the line stands where the request stood, however the replies were split', (t) => {
  const values = [
    '+OK\r\n',
    "-ERR unknown command 'x', with args beginning with: \r\n",
    '$1\r\n-\r\n',
  ];
  for (let size = 1; size < 120; size += 1) {
    const refusals = new RefusalsInPlace(render);
    const [first, second] = [refusals.encodeRequest('k10'), refusals.encodeRequest('w')];
    const replies = Buffer.concat([
      Buffer.from(values[0] as string),
      answerUnknown(first),
      Buffer.from(values[1] as string),
      answerUnknown(second),
      Buffer.from(values[2] as string),
    ]);
    let read = '';
    for (let at = 0; at < replies.length; at += size) {
      read += refusals.rewrite(replies.subarray(at, at + size)).toString('latin1');
    }
    t.is(read, `${values[0]}-NO k10\r\n${values[1]}-NO w\r\n${values[2]}`, `pieces of ${size}`);
    t.false(refusals.isSearching);
  }
});

test('a whole reply is never held back', (t) => {
  const refusals = new RefusalsInPlace(render);
  refusals.encodeRequest('w');
  for (const reply of ['+OK\r\n', '-ERR\r\n', "-ERR unknown command 'abc\r\n", '$1\r\n-\r\n']) {
    t.is(refusals.rewrite(Buffer.from(reply)).toString(), reply);
  }
});

test('what was held back is given when the replies end', (t) => {
  const refusals = new RefusalsInPlace(render);
  refusals.encodeRequest('w');
  t.is(refusals.rewrite(Buffer.from('+OK\r\n-ERR unk')).toString(), '+OK\r\n');
  t.is(refusals.flush()?.toString(), '-ERR unk');
});
