/** Following Docker's events: streams that end, and what is asked for when they are opened again. */
import { Readable } from 'node:stream';
import test from 'ava';
import type Docker from 'dockerode';
import { instanceLabel } from '../../../../src/provisioning/docker.ts';
import { followEvents } from '../../../../src/provisioning/drift/docker-events.ts';

const opened = '2030-01-01T00:00:00.500000000Z';
const openedSeconds = Date.parse(opened) / 1_000;
const lineOf = (timeNano: number): string =>
  `${JSON.stringify({ Action: 'die', timeNano, Actor: { ID: 'c', Attributes: { [instanceLabel]: 'i' } } })}\n`;

/** Follows streams that end at once, until so many were opened; each has this in it. */
async function follow(streams: readonly string[][]) {
  const ended = new AbortController();
  const asked: number[] = [];
  const told: string[] = [];
  const docker = {
    info: async () => ({ SystemTime: opened }),
    async getEvents({ since }: { since: number }) {
      asked.push(since);
      if (asked.length === streams.length) ended.abort();
      return Readable.from(streams[asked.length - 1] ?? [], { objectMode: false });
    },
  } as unknown as Docker;
  const beganMs = performance.now();
  await followEvents(docker, 'swc_a', {
    signal: ended.signal,
    onEvent: ({ action }) => told.push(action),
  });
  return { asked, told, tookMs: performance.now() - beganMs };
}

test('a stream that ends for its quiet is opened again within a second, however often', async (t) => {
  const count = 8;
  const { asked, tookMs } = await follow(Array.from({ length: count }, () => []));
  t.is(asked.length, count);
  t.true(tookMs < (count - 1) * 1_000 + 1_000, `${tookMs} ms`);
});

test('nothing is lost between two streams, nor before the first event', async (t) => {
  const seconds = openedSeconds + 5;
  const { asked, told } = await follow([[], [lineOf(seconds * 1e9)], []]);
  t.deepEqual(asked.slice(0, 2), [openedSeconds, openedSeconds]);
  t.true((asked[2] ?? 0) > seconds && (asked[2] ?? 0) < seconds + 1e-3);
  t.deepEqual(told, ['die']);
});
