/** What an address that sends wrong keys may ask for, and what the others behind it keep. */
import { setTimeout as wait } from 'node:timers/promises';
import test from 'ava';
import { createUnknownKeys } from '../../../src/gateway/unknown-keys.ts';
import { createDataSecret } from '../../../src/keys/format.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { addInstance, call, startHarness } from './harness.ts';

const bad = '192.0.2.7';
const elsewhere = '198.51.100.9';

/** Windows that no slow machine leaves in the middle of a test, but for the tries of a second. */
function setUp(changes = {}) {
  const bounds = {
    wrongMax: 10,
    windowS: 600,
    triesPerSecond: 2,
    runningMax: 4,
    waitingMax: 50,
    ...changes,
  };
  const unknownKeys = createUnknownKeys(bounds);
  const asked: string[] = [];
  const good = new Set<string>();
  const ask = async (address: string, way: string): Promise<number> => {
    try {
      const lookUp = async (): Promise<boolean> => {
        asked.push(way);
        await wait(1);
        return good.has(way);
      };
      return (await unknownKeys.guard(address, way, lookUp, Boolean)) ? 200 : 401;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return error.status;
    }
  };
  const exhaust = async (): Promise<void> => {
    for (let index = 0; index < bounds.wrongMax; index += 1) await ask(bad, `wrong ${index}`);
  };
  return { ask, asked, good, exhaust, bounds };
}

test('an address has so many wrong keys looked up, and then a few a second', async (t) => {
  const { ask, asked, exhaust, bounds } = setUp();
  await exhaust();
  t.is(asked.length, bounds.wrongMax);
  const begunMs = performance.now();
  const statuses = await Promise.all(
    Array.from({ length: 50 }, (_, index) => ask(bad, `more ${index}`)),
  );
  const seconds = Math.ceil((performance.now() - begunMs) / 1000) + 1;
  t.true(asked.length - bounds.wrongMax <= bounds.triesPerSecond * seconds, `${asked.length}`);
  t.true(statuses.includes(429));
  t.is(await ask(elsewhere, 'wrong'), 401, 'another address has its own');
});

test('wrong keys that come at once pass the bound by no more than may be under way', async (t) => {
  const { ask, asked, bounds } = setUp({ triesPerSecond: 1 });
  const statuses = await Promise.all(
    Array.from({ length: 50 }, (_, index) => ask(bad, `wrong ${index}`)),
  );
  t.true(asked.length < bounds.wrongMax + bounds.runningMax + 3, `${asked.length}`);
  t.true(statuses.filter((status) => status === 429).length > 30);
});

test('what was good is looked up as ever behind an address that is over its bound', async (t) => {
  const { ask, good, exhaust } = setUp();
  good.add('good');
  t.is(await ask(bad, 'good'), 200);
  await exhaust();
  for (let index = 0; index < 50; index += 1) t.is(await ask(bad, 'good'), 200);
  good.delete('good');
  t.is(await ask(bad, 'good'), 401, 'once, for it was good until now');
  const after = [await ask(bad, 'good'), await ask(bad, 'good'), await ask(bad, 'good')];
  t.true(after.includes(429));
});

test('a new key comes through beside one wrong key that is repeated without end', async (t) => {
  const { ask, good, exhaust } = setUp();
  await exhaust();
  let isOver = false;
  const repeating = (async () => {
    while (!isOver) {
      await Promise.all(Array.from({ length: 10 }, () => ask(bad, 'wrong 1')));
      await wait(1);
    }
  })();
  await wait(50);
  good.add('new');
  t.is(await ask(bad, 'new'), 200);
  isOver = true;
  await repeating;
});

test('many good keys that come at once from one address are all looked up', async (t) => {
  const { ask, good } = setUp({ wrongMax: 2 });
  const ways = Array.from({ length: 50 }, (_, index) => `good ${index}`);
  for (const way of ways) good.add(way);
  const statuses = await Promise.all(ways.map((way) => ask(bad, way)));
  t.deepEqual(new Set(statuses), new Set([200]));
});

test('the bound ends with its window', async (t) => {
  const { ask, exhaust } = setUp({ windowS: 1, triesPerSecond: 1, wrongMax: 3 });
  await exhaust();
  // While the address is over its bound, one a second is not enough for three in a row.
  const askThrice = async (): Promise<true | undefined> => {
    for (let index = 0; index < 3; index += 1) {
      if ((await ask(bad, `wrong ${Math.random()}`)) !== 401) return undefined;
    }
    return true;
  };
  await t.notThrowsAsync(pollUntil(askThrice, { timeoutMs: 30_000, intervalMs: 50 }));
});

test('the gateway answers 429 with Retry-After then, and the key that works goes on working', async (t) => {
  const harness = await startHarness(t);
  const { instanceId, secret } = await addInstance(harness, { status: 'STOPPED' });
  const works = async () => (await call(harness, { instanceId, secret }, '/ping')).status;
  t.is(await works(), 503, 'the key is known, the instance rests');
  const answers = [];
  for (let index = 0; index < 60; index += 1) {
    answers.push(await call(harness, { instanceId, secret: createDataSecret().secret }, '/ping'));
  }
  t.deepEqual(new Set(answers.map(({ status }) => status)), new Set([401, 429]));
  t.true(answers.slice(0, 30).every(({ status }) => status === 401));
  const refused = answers.find(({ status }) => status === 429);
  t.is(refused?.headers.get('retry-after'), '1');
  t.deepEqual(refused?.json, { error: 'Too many API keys from this address that open nothing' });
  t.is(await works(), 503);
  t.is((await call(harness, { instanceId, secret: 'x' }, '/ping')).status, 401);
});
