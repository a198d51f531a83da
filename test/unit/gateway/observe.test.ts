/** What the gateway counts and logs of its requests. */
import test from 'ava';
import { familyOf } from '../../../src/gateway/command-families.ts';
import { listMetrics } from '../../../src/gateway/exposed-figures.ts';
import { createObserver, type Observed } from '../../../src/gateway/observe.ts';
import { writeExposition } from '../../../src/metrics/exposition.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { call, post, startWorld } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

function request(changes: Partial<Observed['trace']> = {}): Observed {
  const trace = {
    instanceId: undefined,
    keyId: undefined,
    command: undefined,
    commands: undefined,
    refusal: undefined,
    headers: undefined,
    ...changes,
  };
  return { requestId: 'req_a', startedMs: performance.now(), trace };
}

const textOf = (...figures: Parameters<typeof listMetrics>[0][number][]): string =>
  writeExposition(listMetrics(figures));

test('requests are counted by family, status and reason, over all processes', (t) => {
  const silent = { debug() {}, isLevelEnabled: () => false };
  const [one, two] = [1, 2].map((open) => createObserver(silent, { streams: () => open }));
  one?.note(request({ command: 'GET' }), 200);
  one?.note(request({ command: 'PIPELINE', commands: 7 }), 200);
  two?.note(request({ command: 'GET' }), 200);
  two?.note(request({ command: 'SET' }), 400);
  two?.note(request({ refusal: 'rate_limited' }), 429);
  two?.note({ ...request({ command: 'EVAL' }), startedMs: performance.now() - 60_000 }, 500);
  const text = one && two ? textOf(one.read(), two.read()) : '';
  const name = 'swiftcache_gateway_request_duration_seconds';
  for (const line of [
    `# TYPE ${name} histogram`,
    `${name}_bucket{family="read",status="2xx",le="10"} 2`,
    `${name}_bucket{family="read",status="2xx",le="+Inf"} 2`,
    `${name}_count{family="read",status="2xx"} 2`,
    `${name}_count{family="pipeline",status="2xx"} 1`,
    `${name}_count{family="write",status="4xx"} 1`,
    `${name}_bucket{family="script",status="5xx",le="10"} 0`,
    `${name}_bucket{family="script",status="5xx",le="+Inf"} 1`,
    'swiftcache_gateway_commands_total{family="read"} 2',
    'swiftcache_gateway_commands_total{family="pipeline"} 7',
    'swiftcache_gateway_refusals_total{reason="redis_error"} 2',
    'swiftcache_gateway_refusals_total{reason="rate_limited"} 1',
    '# TYPE swiftcache_gateway_streams gauge',
    'swiftcache_gateway_streams 3',
  ]) {
    t.true(text.includes(`${line}\n`), `${line}\n${text}`);
  }
  for (const line of text.trimEnd().split('\n')) {
    t.regex(
      line,
      /^(# (HELP|TYPE) swiftcache_\w+ .+|swiftcache_\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+)$/,
    );
  }
});

test('above the level debug nothing of a line is made', (t) => {
  const logger = { debug: () => t.fail(), isLevelEnabled: () => false };
  const trace = request().trace;
  // A getter that tells who looks: only what is counted may be read.
  Object.defineProperty(trace, 'keyId', { get: () => t.fail() });
  createObserver(logger, {}).note({ ...request(), trace }, 200);
  t.pass();
});

test('a line has the times and the name of a command, and nothing that looks like a value', (t) => {
  const lines: Record<string, unknown>[] = [];
  const logger = {
    debug: (line: Record<string, unknown>) => lines.push(line),
    isLevelEnabled: () => true,
  };
  const observer = createObserver(logger as never, {});
  observer.note(request({ command: 'GET', keyId: 'key_a', instanceId: 'inst_a' }), 200);
  observer.note(request({ command: 'MY PRIVATE VALUE' }), 400);
  t.like(lines[0], { requestId: 'req_a', keyId: 'key_a', instanceId: 'inst_a', command: 'GET' });
  t.is(lines[0]?.status, 200);
  t.is(typeof lines[0]?.ms, 'number');
  observer.note(request({ command: 'HUNTER2' }), 400);
  observer.note(request({ command: 'PIPELINE', commands: 2 }), 200);
  const names = lines.slice(1).map(({ command }) => command);
  t.deepEqual(names, ['(unknown)', '(unknown)', 'PIPELINE']);
});

test.serial('the families are those of Redis', async (t) => {
  const rows = (await redis.admin.call('COMMAND')) as [string, number, string[]][];
  for (const [name, , flags] of rows) {
    const family = familyOf(name.toUpperCase());
    const isScript = /^(eval|fcall)/.test(name);
    const byFlags = flags.includes('readonly')
      ? 'read'
      : flags.includes('write')
        ? 'write'
        : 'other';
    const expected = isScript ? 'script' : byFlags;
    const isStream = ['subscribe', 'psubscribe', 'monitor'].includes(name);
    t.is(family, isStream ? 'stream' : expected, name);
  }
});

test.serial('a gateway tells what it did', async (t) => {
  const world = await startWorld(t, redis);
  await call(world, world, '/set/k/private-value');
  await call(world, world, '/get/k');
  await call(world, world, '/hget/k/f');
  await post(world, world, ['AUTH', 'private']);
  await call(world, { ...world, secret: 'sc_live_none' }, '/get/k');
  await call(world, { ...world, instanceId: 'private-value' }, '/get/k');
  const text = textOf(world.gateway.readFigures());
  const count = 'swiftcache_gateway_request_duration_seconds_count';
  for (const line of [
    `${count}{family="write",status="2xx"} 1`,
    `${count}{family="read",status="2xx"} 1`,
    `${count}{family="read",status="4xx"} 1`,
    'swiftcache_gateway_refusals_total{reason="redis_error"} 1',
    'swiftcache_gateway_refusals_total{reason="invalid_request"} 1',
    'swiftcache_gateway_refusals_total{reason="invalid_authentication_token"} 1',
    'swiftcache_gateway_shared_connections 1',
    'swiftcache_gateway_requests_in_flight 0',
  ]) {
    t.true(text.includes(`${line}\n`), `${line}\n${text}`);
  }
  t.false(/private|sc_live|key_|inst_/.test(text));
  t.false(/private/.test(world.log()));
});
