import { readFileSync } from 'node:fs';
import test from 'ava';
import {
  defaultPlan,
  memoryBounds,
  planNames,
  planOf,
  toMaxMemoryMb,
  widestMemoryBounds,
} from '../../../src/instances/plans.ts';

const mib = 1024 * 1024;

const plans: Record<string, Record<string, number>> = JSON.parse(
  readFileSync(new URL('../../../plans.json', import.meta.url), 'utf8'),
);

test("a plan's bounds are those of plans.json, in bytes", (t) => {
  t.deepEqual([...planNames], Object.keys(plans));
  for (const [name, plan] of Object.entries(plans)) {
    const { minBytes, maxBytes } = memoryBounds(planOf(name));
    t.is(minBytes, Number(plan.maxMemoryMibMin) * mib);
    t.is(maxBytes, Number(plan.maxMemoryMibMax) * mib);
    t.true(minBytes > 0 && minBytes < maxBytes);
    t.true(widestMemoryBounds().minBytes <= minBytes && maxBytes <= widestMemoryBounds().maxBytes);
  }
});

test('the plan of whoever signs up allows the documented examples, 512 MB and 1 GB', (t) => {
  const { minBytes, maxBytes } = memoryBounds(planOf(defaultPlan));
  t.true(minBytes <= 536_870_912 && 1_073_741_824 <= maxBytes);
  t.is(toMaxMemoryMb(536_870_912), 512);
});

test('a plan that is not in plans.json is named', (t) => {
  t.throws(() => planOf('gone'), { message: /"gone"/ });
});

test('bytes are shown as the nearest whole MB', (t) => {
  t.is(toMaxMemoryMb(16 * mib), 16);
  t.is(toMaxMemoryMb(100 * mib + mib / 2 - 1), 100);
  t.is(toMaxMemoryMb(100 * mib + mib / 2), 101);
  t.is(toMaxMemoryMb(16_384 * mib), 16_384);
});
