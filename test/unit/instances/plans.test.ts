import { readFileSync } from 'node:fs';
import test from 'ava';
import { defaultTier, memoryBounds, toMaxMemoryMb } from '../../../src/instances/plans.ts';

const mib = 1024 * 1024;

test("a tier's bounds are those of plans.json, in bytes", (t) => {
  const plans = JSON.parse(readFileSync(new URL('../../../plans.json', import.meta.url), 'utf8'));
  for (const [tier, plan] of Object.entries<Record<string, number>>(plans)) {
    const { minBytes, maxBytes } = memoryBounds(tier as typeof defaultTier);
    t.is(minBytes, Number(plan.maxMemoryMibMin) * mib);
    t.is(maxBytes, Number(plan.maxMemoryMibMax) * mib);
    t.true(minBytes > 0 && minBytes < maxBytes);
  }
  t.true(defaultTier in plans);
});

test('the documented example, 536870912 bytes, is within the bounds and shown as 512 MB', (t) => {
  const { minBytes, maxBytes } = memoryBounds(defaultTier);
  t.true(minBytes <= 536_870_912 && 536_870_912 <= maxBytes);
  t.is(toMaxMemoryMb(536_870_912), 512);
});

test('bytes are shown as the nearest whole MB', (t) => {
  t.is(toMaxMemoryMb(16 * mib), 16);
  t.is(toMaxMemoryMb(100 * mib + mib / 2 - 1), 100);
  t.is(toMaxMemoryMb(100 * mib + mib / 2), 101);
  t.is(toMaxMemoryMb(16_384 * mib), 16_384);
});
