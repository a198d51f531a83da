import test, { type ExecutionContext } from 'ava';
import {
  createEventStreams,
  type EventStreams,
  type Followed,
} from '../../../src/http/event-streams.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { captureLog } from '../../support/log-lines.ts';

const times = {
  pollMs: 1,
  recheckMs: 1_000,
  heartbeatMs: 1_000,
  lifetimeMs: 60_000,
  cutAfterMs: 50,
};

/** Something whose every state differs from the one before. */
function changing(bytes = 10): Followed & { reads(): number; finish(): void } {
  let reads = 0;
  let isLast = false;
  return {
    event: 'thing',
    async read() {
      reads += 1;
      return { state: { reads, text: 'x'.repeat(bytes) }, isLast };
    },
    recheck: async () => {},
    reads: () => reads,
    finish() {
      isLast = true;
    },
  };
}

function createStreams(t: ExecutionContext): EventStreams {
  const streams = createEventStreams(captureLog('debug').logger, times);
  t.teardown(() => streams.close());
  return streams;
}

async function until(isSo: () => boolean): Promise<boolean> {
  const attempt = async () => isSo() || undefined;
  return await pollUntil(attempt, { timeoutMs: 5_000, intervalMs: 1 });
}

test('a client that does not read takes bounded memory, and then gets the last state', async (t) => {
  const followed = changing(10_000);
  const stream = createStreams(t).open('a', followed);
  t.true(await until(() => followed.reads() > 50));
  t.true(stream.readableLength < 100_000, String(stream.readableLength));
  followed.finish();
  let text = '';
  for await (const part of stream) text += String(part);
  const states = [...text.matchAll(/"reads":(\d+)/g)].map(([, reads]) => Number(reads));
  t.true(states.length < 20);
  t.is(states.at(-1), followed.reads());
  t.regex(text, /event: end\nid: \d+\ndata: \{\}\n\n$/);
});

test('a stream whose end nobody reads is cut', async (t) => {
  const streams = createStreams(t);
  const followed = changing();
  const stream = streams.open('a', followed);
  followed.finish();
  t.true(await until(() => streams.count() === 0));
  t.true(stream.destroyed);
});

test('a destroyed stream stops reading what it followed', async (t) => {
  const streams = createStreams(t);
  const followed = changing();
  const stream = streams.open('a', followed);
  t.true(await until(() => followed.reads() > 2));
  stream.destroy();
  t.true(await until(() => streams.count() === 0));
  const reads = followed.reads();
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.true(followed.reads() <= reads + 1);
});

test('a process has 200 streams, however many callers', async (t) => {
  const streams = createStreams(t);
  const opened = Array.from({ length: 200 }, (_, n) => streams.open(String(n), changing()));
  t.throws(() => streams.open('one more', changing()), { code: 'rate_limited' });
  opened[7]?.destroy();
  t.true(await until(() => streams.count() === 199));
  t.notThrows(() => streams.open('one more', changing()));
  for (const stream of opened) stream.destroy();
});

test('what can no longer be read ends its stream, without a word of why', async (t) => {
  const streams = createStreams(t);
  const read = async () => {
    throw new Error('connect ECONNREFUSED');
  };
  const stream = streams.open('a', { ...changing(), read });
  let text = '';
  for await (const part of stream) text += String(part);
  t.is(text, '');
  t.true(await until(() => streams.count() === 0));
});
