import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { backoffMs, pollUntil } from '../../../src/lib/retry.ts';

const limits = { baseMs: 100, maxMs: 2_000 };
const quick = { timeoutMs: 60_000, intervalMs: 0 };

test('the wait before a try lies between nothing and twice the last bound, up to the maximum', (t) => {
  const bounds = [100, 200, 400, 800, 1_600, 2_000, 2_000];
  for (const [index, boundMs] of bounds.entries()) {
    const waits = Array.from({ length: 1_000 }, () => backoffMs(index + 1, limits));
    t.true(Math.min(...waits) >= 0);
    t.true(Math.max(...waits) <= boundMs, `try ${index + 1}`);
    // Full jitter: of a thousand waits some are in the last tenth and some in the first.
    t.true(Math.max(...waits) > boundMs * 0.9, `try ${index + 1}`);
    t.true(Math.min(...waits) < boundMs * 0.1, `try ${index + 1}`);
  }
});

test('the wait stays bounded after any number of tries', (t) => {
  for (const attempt of [50, 1_024, 1_000_000]) {
    t.true(backoffMs(attempt, limits) <= limits.maxMs);
  }
});

test('polling gives the first answer that is there, and asks no more', async (t) => {
  let calls = 0;
  const found = await pollUntil(async () => {
    calls += 1;
    return calls < 3 ? undefined : calls;
  }, quick);
  t.is(found, 3);
  await nextTurn();
  t.is(calls, 3);
});

test('polling takes null, false and 0 for answers', async (t) => {
  for (const answer of [null, false, 0, '']) {
    t.is(await pollUntil<unknown>(async () => answer, quick), answer);
  }
});

test('polling goes on after a probe that throws', async (t) => {
  let calls = 0;
  const probe = async (): Promise<string> => {
    calls += 1;
    if (calls < 3) throw new Error('not yet');
    return 'now';
  };
  t.is(await pollUntil(probe, quick), 'now');
});

test('polling that ends in vain throws what the last probe threw', async (t) => {
  let calls = 0;
  const probe = async (): Promise<undefined> => {
    calls += 1;
    throw new Error(`no ${calls}`);
  };
  const error = await t.throwsAsync(pollUntil(probe, { timeoutMs: 5, intervalMs: 1 }));
  t.is(error.message, `no ${calls}`);
});

test('polling without an answer throws after its time', async (t) => {
  await t.throwsAsync(
    pollUntil(async () => undefined, { timeoutMs: 5, intervalMs: 1 }),
    { message: 'nothing within 5 ms' },
  );
});

test('polling asks at least once, however short its time', async (t) => {
  t.is(await pollUntil(async () => 1, { timeoutMs: 0, intervalMs: 1 }), 1);
});

test('polling ends at once when it is called off', async (t) => {
  const abort = new AbortController();
  const polling = pollUntil(async () => undefined, {
    timeoutMs: 60_000,
    intervalMs: 60_000,
    signal: abort.signal,
  });
  abort.abort();
  await t.throwsAsync(polling, { name: 'AbortError' });
});
