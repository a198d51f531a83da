/** A client of the gateway's streams that reads events as they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { readParts } from '../../support/event-stream.ts';
import type { Bound, Harness } from './harness.ts';

export interface EventReader {
  readonly status: number;
  readonly headers: Headers;
  /** The next event's data, or a comment with its colon; undefined at the end. Fails after a minute. */
  next(): Promise<string | undefined>;
  /** The next `count` events. */
  take(count: number): Promise<(string | undefined)[]>;
  /** Everything up to the end. */
  rest(): Promise<string[]>;
  leave(): void;
}

const patienceMs = 60_000;

/** Opens a stream of an instance by its key; the client leaves with the test. */
export async function openEvents(
  t: Pick<ExecutionContext, 'teardown'>,
  { baseUrl }: Pick<Harness, 'baseUrl'>,
  { instanceId, secret }: Pick<Bound, 'instanceId' | 'secret'>,
  path: string,
  init: RequestInit = {},
): Promise<EventReader> {
  const leaving = new AbortController();
  t.teardown(() => leaving.abort());
  const { status, headers, body } = await fetch(`${baseUrl}/redis/${instanceId}${path}`, {
    ...init,
    headers: { Authorization: `Bearer ${secret}`, ...(init.headers as Record<string, string>) },
    signal: leaving.signal,
  });
  const parts = readParts(body);
  async function next(): Promise<string | undefined> {
    const patience = new AbortController();
    const tooLong = sleep(patienceMs, undefined, { signal: patience.signal }).then(() => {
      throw new Error('no event came');
    });
    tooLong.catch(() => {});
    try {
      const { value } = await Promise.race([parts.next(), tooLong]);
      return value?.replace(/^data: /, '');
    } finally {
      patience.abort();
    }
  }
  return {
    status,
    headers,
    next,
    async take(count) {
      const events: (string | undefined)[] = [];
      while (events.length < count) events.push(await next());
      return events;
    },
    async rest() {
      const all: string[] = [];
      for (let part = await next(); part !== undefined; part = await next()) all.push(part);
      return all;
    },
    leave: () => leaving.abort(),
  };
}
