/** How streams begin and end, with a Redis that does what a real one seldom does and a clock that is moved. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { Exchange } from '../../../src/gateway/answer.ts';
import type { Grant } from '../../../src/gateway/authorize.ts';
import { describeFailure, invalidToken } from '../../../src/gateway/failures.ts';
import { splitTarget } from '../../../src/gateway/parse.ts';
import { defaultLinkBounds } from '../../../src/gateway/redis/bounds.ts';
import { createLinks } from '../../../src/gateway/redis/links.ts';
import { createStreams, type Streams } from '../../../src/gateway/streams.ts';
import type { Way } from '../../../src/keys/lost-ways.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { createTestClock } from '../../support/clock.ts';
import { captureLog } from '../../support/log-lines.ts';
import { type EventReader, openEvents } from './event-reader.ts';
import { type FakeRedis, grantFor, startFakeRedis } from './fake-redis.ts';

const patience = { timeoutMs: 30_000, intervalMs: 5 };

const confirmation = '>3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n';

function message(text: string): string {
  return `>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$${text.length}\r\n${text}\r\n`;
}

/** Confirms a subscription; `more` stands in the same bytes. */
function sayYes(command: string, more = ''): string | undefined {
  return command.startsWith('SUBSCRIBE') ? confirmation + more : undefined;
}

interface World {
  readonly streams: Streams;
  readonly clock: ReturnType<typeof createTestClock>;
  /** The ways that are asked about are lost from here on. */
  readonly lost: Set<string>;
  /** Keys that were dropped after their grant was given. */
  readonly dropped: Set<string>;
  readonly baseUrl: string;
  open(): Promise<EventReader>;
}

async function start(
  t: ExecutionContext,
  { port }: Pick<FakeRedis, 'port'>,
  { commandTimeoutMs = 30_000, expiresAt }: { commandTimeoutMs?: number; expiresAt?: Date } = {},
): Promise<World> {
  const clock = createTestClock();
  const links = createLinks({ ...defaultLinkBounds, commandTimeoutMs });
  const lost = new Set<string>();
  const dropped = new Set<string>();
  const findLostWays = async (ways: readonly Way[]): Promise<Set<Way>> =>
    new Set(ways.filter(({ key }) => lost.has(key.id)));
  const streams = createStreams({ links, clock, logger: captureLog().logger, findLostWays });
  const server = createServer(async (request, response) => {
    const target = splitTarget(request.url ?? '');
    if (!target) return response.destroy();
    const grant = grantFor(port, request.headers.authorization);
    const key = { ...grant.key, ...(expiresAt && { expiresAt }) };
    const exchange: Exchange = {
      ...{
        request,
        response,
        target: undefined,
        requestId: 'req',
        address: '127.0.0.1',
        startedMs: 0,
      },
      ...{ headers: [], trace: noTrace, mayCompress: false },
    };
    await serve(streams, exchange, { ...grant, key }, target, async () => {
      if (dropped.has(key.id)) throw invalidToken();
      return grant;
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(async () => {
    await streams.close();
    links.close();
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bound = { instanceId: 'inst_1', secret: 'key_1' };
  const open = () => openEvents(t, { baseUrl }, bound, '/subscribe/news');
  return { streams, clock, lost, dropped, baseUrl, open };
}

const noTrace = {
  ...{ instanceId: undefined, keyId: undefined, command: undefined },
  ...{ commands: undefined, refusal: undefined, headers: undefined },
};

async function serve(
  streams: Streams,
  exchange: Exchange,
  grant: Grant,
  target: Parameters<Streams['serve']>[2],
  authorize: Parameters<Streams['serve']>[3],
): Promise<void> {
  try {
    await streams.serve(exchange, grant, target, authorize);
  } catch (error) {
    const { status, message: words } = describeFailure(error);
    exchange.response.writeHead(status, []);
    exchange.response.end(words);
  }
}

test('what stands right behind the confirmation comes after it, in order', async (t) => {
  const texts = Array.from({ length: 2_000 }, (_, index) => `m${index}`);
  const redis = await startFakeRedis(t, (command) => sayYes(command, texts.map(message).join('')));
  const { open } = await start(t, redis);
  const reader = await open();
  t.deepEqual(await reader.take(texts.length + 1), [
    'subscribe,news,1',
    ...texts.map((text) => `message,news,${text}`),
  ]);
});

test('JSON of several lines is told in one, and still means the same to who reads JSON', async (t) => {
  const json = '{\r\n  "n": 9007199254740993\n}\n';
  const pattern = `>4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$${json.length}\r\n${json}\r\n`;
  const more = message(json) + pattern + message('a\nb');
  const redis = await startFakeRedis(t, (command) => sayYes(command, more));
  const { open } = await start(t, redis);
  const events = await open();
  const inOneLine = '{   "n": 9007199254740993 } ';
  t.deepEqual(await events.take(4), [
    'subscribe,news,1',
    `message,news,${inOneLine}`,
    `pmessage,n*,news,${inOneLine}`,
    'message,news,"a\\nb"',
  ]);
});

test('a key that was dropped while its connection was opened gets no stream', async (t) => {
  const redis = await startFakeRedis(t, (command) => sayYes(command));
  const { open, dropped, streams } = await start(t, redis);
  dropped.add('Bearer key_1');
  t.is((await open()).status, 401);
  t.false(redis.seen.some((command) => command.startsWith('SUBSCRIBE')));
  t.is(streams.count(), 0);
});

test('a stream ends when its key expires, and says so', async (t) => {
  const redis = await startFakeRedis(t, (command) => sayYes(command));
  const expiresAt = new Date(createTestClock().now().getTime() + 60_000);
  const { open, clock, streams } = await start(t, redis, { expiresAt });
  const reader = await open();
  t.is(await reader.next(), 'subscribe,news,1');
  clock.advance(59_999);
  t.is(streams.count(), 1);
  clock.advance(1);
  t.deepEqual(await reader.rest(), [': the key has expired']);
  t.is(streams.count(), 0);
});

test('a stream ends when another server has closed its way', async (t) => {
  const redis = await startFakeRedis(t, (command) => sayYes(command));
  const { open, lost } = await start(t, redis);
  const reader = await open();
  await reader.next();
  lost.add('key_other');
  lost.add('Bearer key_1');
  t.deepEqual(await reader.rest(), [': the key was changed']);
});

test('a stream ends with its connection to Redis', async (t) => {
  const redis = await startFakeRedis(t, (command) => sayYes(command, message('last')));
  const { open } = await start(t, redis);
  const reader = await open();
  t.deepEqual(await reader.take(2), ['subscribe,news,1', 'message,news,last']);
  redis.cut();
  t.deepEqual(await reader.rest(), [': the connection to Redis ended']);
});

test('a connection that is cut before Redis says yes is an error, not a stream', async (t) => {
  const redis = await startFakeRedis(t, (command, socket) => {
    if (command.startsWith('SUBSCRIBE')) socket.destroy();
    return undefined;
  });
  const { open, streams } = await start(t, redis);
  const reader = await open();
  t.is(reader.status, 500);
  t.deepEqual(await reader.rest(), ['Redis connection error']);
  t.is(streams.count(), 0);
});

test('a Redis that says neither yes nor no is waited for as long as for a command', async (t) => {
  const redis = await startFakeRedis(t);
  const { open } = await start(t, redis, { commandTimeoutMs: 50 });
  t.is((await open()).status, 500);
});

test('a reader who leaves before Redis has answered leaves nothing behind', async (t) => {
  const redis = await startFakeRedis(t);
  const { baseUrl, streams } = await start(t, redis);
  const leaving = new AbortController();
  const asked = fetch(`${baseUrl}/redis/inst_1/subscribe/news`, { signal: leaving.signal });
  await pollUntil(async () => redis.seen.includes('SUBSCRIBE news') || undefined, patience);
  t.is(streams.count(), 1);
  leaving.abort();
  await t.throwsAsync(asked);
  await pollUntil(async () => streams.count() === 0 || undefined, patience);
});

test('after the end of the service no stream begins', async (t) => {
  const redis = await startFakeRedis(t, (command) => sayYes(command));
  const { open, streams } = await start(t, redis);
  const reader = await open();
  await reader.next();
  await streams.close();
  t.deepEqual(await reader.rest(), [': the service is stopping']);
  t.is((await open()).status, 503);
});
