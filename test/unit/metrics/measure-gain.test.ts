import test from 'ava';
import fc from 'fast-check';
import { baselineAfter, measureGain, zero } from '../../../src/metrics/measure-gain.ts';
import { type Counters, counterNames } from '../../../src/metrics/parse-sample.ts';
import { sample } from '../../support/metrics.ts';

const firstUs = 1_700_000_000_000_000;
const laterUs = firstUs + 15_000_000;

test('a gain is what the counters have more than at the look before', (t) => {
  const before = sample({ commands: 100, hits: 10, bytesIn: 5_000, latency: { 1: 60, 2: 40 } });
  const after = sample({
    serverTimeUs: laterUs,
    commands: 130,
    hits: 15,
    misses: 2,
    bytesIn: 7_000,
    latency: { 1: 70, 2: 55, 4: 5 },
  });
  t.deepEqual(measureGain(baselineAfter(before), after), {
    ...zero,
    commands: 30,
    hits: 5,
    misses: 2,
    bytesIn: 2_000,
    latency: { 1: 10, 2: 15, 4: 5 },
  });
});

test('another Redis process begins at zero, even where its counters are ahead', (t) => {
  const before = baselineAfter(sample({ commands: 100, hits: 10, latency: { 1: 100 } }));
  for (const commands of [7, 700]) {
    const changes = { commands, hits: 3, latency: { 1: commands } };
    const gain = measureGain(before, sample({ runId: 'run-2', serverTimeUs: laterUs, ...changes }));
    t.deepEqual(gain, { ...zero, ...changes });
  }
});

test('counters that were reset begin at zero, all of them', (t) => {
  const before = baselineAfter(sample({ commands: 100, hits: 10, bytesIn: 900 }));
  const after = sample({ serverTimeUs: laterUs, commands: 4, hits: 20, bytesIn: 950 });
  t.deepEqual(measureGain(before, after), { ...zero, commands: 4, hits: 20, bytesIn: 950 });
});

test('a new instance counts from its first command, one with a history from its first look', (t) => {
  const first = sample({ commands: 100, latency: { 1: 100 } });
  t.is(measureGain(undefined, first)?.commands, 100);
  const unknown = { ...baselineAfter(sample()), runId: null, serverTimeUs: 0 };
  t.deepEqual(measureGain(unknown, first), zero);
});

test('a look that a later one has overtaken is not recorded, also across a restart', (t) => {
  const baseline = baselineAfter(sample({ serverTimeUs: laterUs, commands: 100 }));
  for (const runId of ['run-0', 'run-1']) {
    t.is(
      measureGain(baseline, sample({ runId, serverTimeUs: laterUs - 5, commands: 90 })),
      undefined,
    );
  }
  t.is(measureGain(baseline, sample({ serverTimeUs: laterUs, commands: 100 })), undefined);
});

test('a clock that was set back stops nothing', (t) => {
  const baseline = baselineAfter(sample({ serverTimeUs: laterUs, commands: 100 }));
  const hourEarlier = sample({ serverTimeUs: laterUs - 3_600_000_000, commands: 110 });
  t.is(measureGain(baseline, hourEarlier)?.commands, 10);
});

test("the reader's own bytes are left out, those of an answer in the next gain", (t) => {
  const own = { bytesIn: 225, bytesOut: 252, replyBytes: 3_798 };
  const first = sample({ bytesIn: 1_225, bytesOut: 2_252 }, own);
  const gain = measureGain(undefined, first);
  t.is(gain?.bytesIn, 1_000);
  t.is(gain?.bytesOut, 2_000);
  const second = sample(
    { serverTimeUs: laterUs, bytesIn: 1_225 + 94 + 10, bytesOut: 2_252 + 3_798 + 20 },
    { bytesIn: 94, replyBytes: 3_800 },
  );
  const next = measureGain(baselineAfter(first), second);
  t.is(next?.bytesIn, 10);
  t.is(next?.bytesOut, 20);
});

const step = fc.record({
  commands: fc.nat(1_000),
  hits: fc.nat(1_000),
  misses: fc.nat(1_000),
  bytesIn: fc.nat(100_000),
  bytesOut: fc.nat(100_000),
  evicted: fc.nat(10),
  expired: fc.nat(10),
  restarts: fc.boolean(),
});

test('whatever happens between looks, gains add up to what was done and none is negative', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let baseline: ReturnType<typeof baselineAfter> | undefined;
      let run = 0;
      let counters: Counters = zero;
      const done: Record<string, number> = {};
      const gained: Record<string, number> = {};
      for (const [index, { restarts, ...work }] of steps.entries()) {
        if (restarts) {
          run += 1;
          counters = zero;
        }
        counters = Object.fromEntries(
          counterNames.map((name) => [name, counters[name] + work[name]]),
        ) as unknown as Counters;
        const serverTimeUs = firstUs + index * 1_000_000;
        const { commands } = counters;
        const look = sample({
          ...counters,
          serverTimeUs,
          runId: `run-${run}`,
          latency: commands > 0 ? { 2: commands } : {},
        });
        const gain = measureGain(baseline, look);
        if (!gain) return false;
        for (const name of counterNames) {
          if (gain[name] < 0) return false;
          done[name] = (done[name] ?? 0) + work[name];
          gained[name] = (gained[name] ?? 0) + gain[name];
        }
        if ((gain.latency['2'] ?? 0) !== gain.commands) return false;
        baseline = baselineAfter(look);
      }
      return counterNames.every((name) => done[name] === gained[name]);
    }),
  );
  t.pass();
});
