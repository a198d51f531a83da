/** Rates in one process and in several, without HTTP: windows, costs, headers, and what is shared. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { createLimits, type Limited, type Limits } from '../../../../src/keys/rates/limits.ts';
import { createMeter } from '../../../../src/keys/rates/meter.ts';
import {
  createMemoryStore,
  createRemoteStore,
  type RateStore,
} from '../../../../src/keys/rates/rate-store.ts';
import { AppError } from '../../../../src/lib/errors.ts';

function grantOf(rateLimit: number, requestsPerSecond = 100_000): Limited {
  return { key: { id: 'key_a', organizationId: 'org_a', rateLimit }, requestsPerSecond };
}

/** Whether a request is let in; what is thrown must be the documented refusal. */
async function isAdmitted(limits: Limits, grant: Limited, cost = 1): Promise<boolean> {
  try {
    await limits.admit(grant, cost);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate_limited') return false;
    throw error;
  }
}

const second = (): number => Math.floor(performance.now() / 1_000);

/** Waits until a second has just begun, so that what follows falls into it. */
async function nextSecond(): Promise<void> {
  await sleep(1_000 - (performance.now() % 1_000) + 5);
}

/** Counts what is let in by seconds of this process's clock, which is the memory store's. */
async function admitFor(
  seconds: number,
  processes: readonly Limits[],
  grant: Limited,
): Promise<Map<number, number>> {
  const bySecond = new Map<number, number>();
  const endMs = performance.now() + seconds * 1_000;
  await Promise.all(
    processes.map(async (limits) => {
      while (performance.now() < endMs) {
        const begun = second();
        const isIn = await isAdmitted(limits, grant);
        // One that was let in at the border may be of either second.
        if (isIn && begun === second()) bySecond.set(begun, (bySecond.get(begun) ?? 0) + 1);
        if (!isIn) await sleep(2);
      }
    }),
  );
  return bySecond;
}

/** Another process's store: every answer takes a while. */
function distant(store: RateStore, delayMs = 3): RateStore {
  const ask = async (request: Parameters<RateStore['reserve']>[0]) => {
    await sleep(delayMs);
    return await store.reserve(request);
  };
  return createRemoteStore(ask, { warn() {} });
}

test('a key runs as many commands a second as its rate says, and each second anew', async (t) => {
  const limits = createLimits(createMemoryStore());
  await nextSecond();
  const counts = [...(await admitFor(2.5, [limits], grantOf(50))).values()];
  for (const count of counts) t.true(count <= 50, String(count));
  t.true(counts.length >= 2);
  t.true(Math.max(...counts) >= 49, String(counts));
});

test('while points are in hand nothing is awaited', (t) => {
  const limits = createLimits(createMemoryStore());
  t.false(limits.admit(grantOf(1_000), 1) instanceof Promise);
  t.false(limits.admit(grantOf(50), 1) instanceof Promise);
});

test('points are given back to the window that they were spent in, and to no other', async (t) => {
  const meter = createMeter(createMemoryStore(), 'key_a', 2);
  await nextSecond();
  t.true(meter.take(2));
  const window = meter.readWindow();
  meter.giveBack(1, window);
  t.true(meter.take(1));
  await nextSecond();
  t.true(meter.take(2));
  meter.giveBack(1, window);
  t.is(meter.readRemaining(), 0);
});

test('two processes together stay within a rate below 100', async (t) => {
  const store = createMemoryStore();
  const processes = [createLimits(distant(store)), createLimits(distant(store))];
  await nextSecond();
  const counts = [...(await admitFor(2.5, processes, grantOf(50))).values()];
  for (const count of counts) t.true(count <= 50, String(count));
  t.true(Math.max(...counts) > 30, String(counts));
});

test('four processes pass a larger rate by a fiftieth each at most', async (t) => {
  const store = createMemoryStore();
  const processes = [1, 2, 3, 4].map(() => createLimits(distant(store)));
  await nextSecond();
  const counts = [...(await admitFor(2.5, processes, grantOf(500))).values()];
  for (const count of counts) t.true(count <= 500 + 4 * 10, String(count));
  t.true(Math.max(...counts) > 300, String(counts));
});

test('what little is used of a large rate costs what is shared nothing', async (t) => {
  let questions = 0;
  const ask = async () => {
    questions += 1;
    return { granted: 0, remaining: 0, restMs: 1_000 };
  };
  const limits = createLimits(createRemoteStore(ask, { warn() {} }));
  for (let count = 0; count < 4; count += 1) {
    t.false(limits.admit(grantOf(1_000, 1_000), 1) instanceof Promise);
  }
  t.is(questions, 0);
});

test('what was spent unasked is told with the first question', async (t) => {
  const asked: number[] = [];
  const ask = async ({ points }: { points: number }) => {
    asked.push(points);
    return { granted: asked.length === 1 ? points : 0, remaining: 0, restMs: 60_000 };
  };
  const limits = createLimits(createRemoteStore(ask, { warn() {} }));
  let admitted = 0;
  while (await isAdmitted(limits, grantOf(1_000, 1_000))) admitted += 1;
  // A twentieth, and the hundredth that may be spent before.
  t.is(asked[0], 60);
  t.is(admitted, 60);
});

test('a rate that is used up costs its store nothing until the next second', async (t) => {
  const store = createMemoryStore();
  let questions = 0;
  const counting: RateStore = {
    ...store,
    reserve(request) {
      questions += 1;
      return store.reserve(request);
    },
  };
  const limits = createLimits(counting);
  const begun = second();
  for (let count = 0; count < 1_000; count += 1) await isAdmitted(limits, grantOf(20, 1_000_000));
  const seconds = second() - begun + 1;
  t.true(questions <= 30 * seconds, String(questions));
});

test('where what is shared does not answer, each process holds the rate by itself', async (t) => {
  const warnings: unknown[] = [];
  const logger = { warn: (facts: unknown) => warnings.push(facts) };
  const never = createRemoteStore(() => new Promise(() => {}), logger as never);
  const broken = createRemoteStore(() => Promise.reject(new TypeError('secret')), logger as never);
  for (const limits of [createLimits(never), createLimits(broken)]) {
    const results: boolean[] = [];
    const admitted = Array.from({ length: 200 }, () => isAdmitted(limits, grantOf(10)));
    results.push(...(await Promise.all(admitted)));
    const count = results.filter(Boolean).length;
    // The questions may end on both sides of a border between seconds.
    t.true(count >= 10 && count <= 20, String(count));
  }
  t.deepEqual(warnings, [{ kind: 'Error' }, { kind: 'TypeError' }]);
});

test('a pipeline costs its commands, at most a whole second, and what is refused nothing', async (t) => {
  const limits = createLimits(createMemoryStore());
  const grant = grantOf(10);
  await nextSecond();
  t.true(await isAdmitted(limits, grant, 7));
  t.false(await isAdmitted(limits, grant, 4));
  t.true(await isAdmitted(limits, grant, 3));
  t.false(await isAdmitted(limits, grant, 0));
  await nextSecond();
  t.true(await isAdmitted(limits, grant, 0));
  t.true(await isAdmitted(limits, grant, 1_000));
  t.false(await isAdmitted(limits, grant, 1));
});

test('the plan holds for all keys of an organization, and its refusal costs the key nothing', async (t) => {
  const limits = createLimits(createMemoryStore());
  const own = grantOf(10, 12);
  const other = { ...own, key: { ...own.key, id: 'key_b', rateLimit: 1_000 } };
  const stranger = { ...own, key: { id: 'key_c', organizationId: 'org_b', rateLimit: 1_000 } };
  await nextSecond();
  t.true(await isAdmitted(limits, other, 8));
  t.false(await isAdmitted(limits, own, 8));
  t.true(await isAdmitted(limits, own, 4));
  t.false(await isAdmitted(limits, other));
  t.true(await isAdmitted(limits, stranger, 12));
});

test('a changed rate holds from the next request on', async (t) => {
  const limits = createLimits(createMemoryStore());
  await nextSecond();
  t.true(await isAdmitted(limits, grantOf(5), 5));
  t.false(await isAdmitted(limits, grantOf(5)));
  t.true(await isAdmitted(limits, grantOf(20), 10));
  t.false(await isAdmitted(limits, grantOf(20), 10));
});

test('the headers say what applies, what is left, and when to come back', async (t) => {
  const limits = createLimits(createMemoryStore());
  await nextSecond();
  t.deepEqual(await limits.admit(grantOf(10), 4), {
    'RateLimit-Policy': '"key";q=10;w=1',
    RateLimit: '"key";r=6;t=1',
  });
  const refused = t.throws(() => limits.admit(grantOf(10), 7), { instanceOf: AppError });
  t.is(refused?.status, 429);
  t.is(refused?.message, 'This key allows 10 commands a second');
  t.deepEqual(refused?.headers, {
    'RateLimit-Policy': '"key";q=10;w=1',
    RateLimit: '"key";r=6;t=1',
    'Retry-After': '1',
  });
  const unlimited = { ...grantOf(1_000, 100), key: { ...grantOf(1_000).key, organizationId: 'o' } };
  t.is(await limits.admit(unlimited, 50), undefined);
  t.deepEqual(await limits.admit(unlimited, 1), {
    'RateLimit-Policy': '"plan";q=100;w=1',
    RateLimit: '"plan";r=49;t=1',
  });
  const over = t.throws(() => limits.admit(unlimited, 60), { instanceOf: AppError });
  t.is(over?.message, "The plan of this key's organization allows 100 commands a second");
});
