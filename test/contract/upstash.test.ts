/**
 * The published clients of Upstash, unmodified, against an instance: the whole surface of the one for
 * JavaScript in each of its modes, its rate limiter, and those for Python.
 */
import { Ratelimit } from '@upstash/ratelimit';
import { Redis } from '@upstash/redis';
import test, { type ExecutionContext } from 'ava';
import { randomHex } from '../../src/lib/crypto.ts';
import { serviceOfFile } from '../support/samples.ts';
import { createRunningInstance, type TestInstance } from '../support/service.ts';
import { calls } from './upstash-calls.ts';
import { pythonClients, runPythonCalls } from './upstash-python.ts';

const service = serviceOfFile();
let instance: TestInstance;

test.serial.before(async () => {
  instance = await createRunningInstance(service());
});

const place = (): { url: string; token: string } => ({
  url: `${service().url}/redis/${instance.id}`,
  token: instance.key,
});

const modes = [
  { responseEncoding: 'base64', enableAutoPipelining: true },
  { responseEncoding: 'base64', enableAutoPipelining: false },
  { responseEncoding: false, enableAutoPipelining: true },
  { responseEncoding: false, enableAutoPipelining: false },
] as const;

for (const mode of modes) {
  const { responseEncoding, enableAutoPipelining } = mode;
  const how = `encoding ${responseEncoding}, auto-pipelining ${enableAutoPipelining}`;
  for (const [kind, run] of Object.entries(calls)) {
    test.serial(`Upstash's client: ${kind} (${how})`, async (t) => {
      const own = randomHex(6);
      const redis = new Redis({ ...place(), ...mode, enableTelemetry: true });
      await run({ t, redis, key: (name) => `${own}:${name}` });
    });
  }
}

test.serial('each write gets another sync token, and it may be sent back', async (t) => {
  const { url, token } = place();
  const tokens = new Set<string>();
  for (let turn = 0, last = ''; turn < 5; turn += 1) {
    const headers: Record<string, string> = {
      Authorization: `Bearer ${token}`,
      'Upstash-Sync-Token': last,
    };
    const response = await fetch(url, { method: 'POST', headers, body: '["INCR","sync"]' });
    t.deepEqual(await response.json(), { result: turn + 1 });
    last = response.headers.get('Upstash-Sync-Token') ?? '';
    tokens.add(last);
  }
  t.is(tokens.size, 5);
  t.false(tokens.has(''));
  const redis = new Redis({ ...place(), readYourWrites: true });
  for (let turn = 0; turn < 50; turn += 1) {
    await redis.set('own', turn);
    t.is(await redis.get('own'), turn);
  }
});

const limiters = {
  'fixed window': Ratelimit.fixedWindow(3, '1 h'),
  'sliding window': Ratelimit.slidingWindow(3, '1 h'),
  'token bucket': Ratelimit.tokenBucket(3, '1 h', 3),
};

for (const [name, limiter] of Object.entries(limiters)) {
  test.serial(`Upstash's rate limiter counts: ${name}`, async (t) => {
    await countTo3(t, new Ratelimit({ redis: new Redis(place()), limiter, prefix: randomHex(6) }));
  });
}

async function countTo3(t: ExecutionContext, limiter: Ratelimit): Promise<void> {
  const verdicts: boolean[] = [];
  for (let turn = 0; turn < 5; turn += 1) verdicts.push((await limiter.limit('who')).success);
  t.deepEqual(verdicts, [true, true, true, false, false]);
  t.is((await limiter.getRemaining('who')).remaining, 0);
  await limiter.resetUsedTokens('who');
  t.true((await limiter.limit('who')).success);
}

const testWithPython = pythonClients() ? test.serial : test.serial.skip;

testWithPython("Upstash's clients for Python, and their rate limiter", async (t) => {
  const { url, token } = place();
  t.is(await runPythonCalls(url, token), 'all is well\n');
});
