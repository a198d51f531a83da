import test from 'ava';
import fc from 'fast-check';
import { type Settings, settingNames } from '../../../../src/instances/settings.ts';
import { mergeSettings } from '../../../../src/provisioning/operators/merge-settings.ts';

const mib = 1024 * 1024;
const old: Settings = {
  maxMemoryBytes: 64 * mib,
  evictionPolicy: 'allkeys-lru',
  persistence: false,
  image: 'sha256:a',
};

test("what an operator made is wanted and applied, and what the row's owner wants beside it stays wanted", (t) => {
  const merged = mergeSettings({
    applied: old,
    tried: [],
    wanted: { ...old, evictionPolicy: 'volatile-lru' },
    made: { ...old, maxMemoryBytes: 96 * mib },
  });
  t.deepEqual(merged, {
    applied: { ...old, maxMemoryBytes: 96 * mib },
    wanted: { ...old, maxMemoryBytes: 96 * mib, evictionPolicy: 'volatile-lru' },
    adopted: { maxMemoryBytes: 96 * mib },
  });
});

test('of one setting that both changed, the wish that is not yet done wins, over what is real now', (t) => {
  const merged = mergeSettings({
    applied: old,
    tried: [],
    wanted: { ...old, maxMemoryBytes: 128 * mib },
    made: { ...old, maxMemoryBytes: 96 * mib },
  });
  t.is(merged.wanted.maxMemoryBytes, 128 * mib);
  t.is(merged.applied?.maxMemoryBytes, 96 * mib);
  t.deepEqual(merged.adopted, { maxMemoryBytes: 96 * mib });
});

test("what the service's own broken runs left is no operator's, also after the way back broke off", (t) => {
  const upgrade = { ...old, image: 'sha256:b' };
  const goingBack = { applied: old, tried: [upgrade, old], wanted: old, made: upgrade };
  t.deepEqual(mergeSettings(goingBack), { applied: old, wanted: old, adopted: {} });
});

/** Few values, so that they often meet. */
const settings: fc.Arbitrary<Settings> = fc.record({
  maxMemoryBytes: fc.constantFrom(32 * mib, 64 * mib, 96 * mib),
  evictionPolicy: fc.constantFrom('allkeys-lru', 'allkeys-lfu', 'noeviction'),
  persistence: fc.boolean(),
  image: fc.constantFrom('sha256:a', 'sha256:b', 'sha256:c'),
});
const input = fc.record({
  applied: fc.option(settings, { nil: undefined }),
  tried: fc.array(settings, { maxLength: 3 }),
  wanted: settings,
  made: settings,
});

test('a merge invents no value, loses no wish, and done twice is done once', (t) => {
  fc.assert(
    fc.property(input, (given) => {
      const { applied, wanted, adopted } = mergeSettings(given);
      const base = given.applied ?? given.tried[0] ?? given.wanted;
      for (const name of settingNames) {
        t.true([given.wanted[name], given.made[name]].includes(wanted[name]));
        // A wish for something new is never replaced.
        if (given.wanted[name] !== base[name]) t.is(wanted[name], given.wanted[name]);
        if (name in adopted) t.is(applied?.[name] ?? adopted[name], given.made[name]);
        else t.is(applied?.[name], given.applied?.[name]);
      }
      const again = mergeSettings({ ...given, applied, wanted });
      if (given.applied) t.deepEqual(again, { applied, wanted, adopted: {} });
    }),
    { numRuns: 500 },
  );
});

test("of a settled instance, every difference is the operator's, and none is left after", (t) => {
  fc.assert(
    fc.property(settings, settings, (settled, made) => {
      const merged = mergeSettings({ applied: settled, tried: [], wanted: settled, made });
      t.deepEqual(merged.wanted, made);
      t.deepEqual(merged.applied, made);
      const names = settingNames.filter((name) => settled[name] !== made[name]);
      t.deepEqual(Object.keys(merged.adopted).sort(), [...names].sort());
    }),
    { numRuns: 500 },
  );
});

test('what a state does not say changes nothing', (t) => {
  const merged = mergeSettings({ applied: old, tried: [], wanted: old, made: {} });
  t.deepEqual(merged, { applied: old, wanted: old, adopted: {} });
});
