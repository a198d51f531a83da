import test, { type ExecutionContext } from 'ava';
import {
  createEventStreams,
  type EventStreams,
  type Followed,
  type StreamOwner,
} from '../../../src/http/event-streams.ts';
import type { AppError } from '../../../src/lib/errors.ts';
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

/** Somebody in an organization of their own. */
function owner(name: string | number, organizationId = `org of ${name}`): StreamOwner {
  return { scope: String(name), organizationId };
}

async function until(isSo: () => boolean): Promise<boolean> {
  const attempt = async () => isSo() || undefined;
  return await pollUntil(attempt, { timeoutMs: 5_000, intervalMs: 1 });
}

test('a client that does not read takes bounded memory, and then gets the last state', async (t) => {
  const followed = changing(10_000);
  const stream = createStreams(t).open(owner('a'), followed);
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
  const stream = streams.open(owner('a'), followed);
  followed.finish();
  t.true(await until(() => streams.count() === 0));
  t.true(stream.destroyed);
});

test('a destroyed stream stops reading what it followed', async (t) => {
  const streams = createStreams(t);
  const followed = changing();
  const stream = streams.open(owner('a'), followed);
  t.true(await until(() => followed.reads() > 2));
  stream.destroy();
  t.true(await until(() => streams.count() === 0));
  const reads = followed.reads();
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.true(followed.reads() <= reads + 1);
});

test('a process has 200 streams, however many callers', async (t) => {
  const streams = createStreams(t);
  const opened = Array.from({ length: 200 }, (_, n) => streams.open(owner(n), changing()));
  const refused = t.throws(() => streams.open(owner('one more'), changing()), {
    code: 'rate_limited',
  });
  // How busy the server is with others is nobody's business.
  t.notRegex(refused?.message ?? '', /\d/);
  t.is((refused as AppError).limit, undefined);
  opened[7]?.destroy();
  t.true(await until(() => streams.count() === 199));
  t.notThrows(() => streams.open(owner('one more'), changing()));
  for (const stream of opened) stream.destroy();
});

test('an organization has 50 streams, however many of its people follow', async (t) => {
  const streams = createStreams(t);
  const opened = Array.from({ length: 50 }, (_, n) => streams.open(owner(n, 'one'), changing()));
  t.throws(() => streams.open(owner('more', 'one'), changing()), { code: 'rate_limited' });
  t.notThrows(() => streams.open(owner('more', 'other'), changing()));
  opened[7]?.destroy();
  t.true(await until(() => streams.count() === 50));
  t.notThrows(() => streams.open(owner('more', 'one'), changing()));
});

test('what can no longer be read ends its stream, without a word of why', async (t) => {
  const streams = createStreams(t);
  const read = async () => {
    throw new Error('connect ECONNREFUSED');
  };
  const stream = streams.open(owner('a'), { ...changing(), read });
  let text = '';
  for await (const part of stream) text += String(part);
  t.is(text, '');
  t.true(await until(() => streams.count() === 0));
});
