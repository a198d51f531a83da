/** What counts as drift, and what does not. */
import test from 'ava';
import { liveParameters } from '../../../../infra/live-settings.ts';
import { containerMemoryMib } from '../../../../infra/sizing.ts';
import {
  compare,
  isSeenWhole,
  type Recorded,
  type Sight,
} from '../../../../src/provisioning/drift/compare.ts';

const mib = 1024 * 1024;
const row: Recorded = {
  power: 'on',
  maxMemoryBytes: 64 * mib,
  evictionPolicy: 'allkeys-lru',
  persistence: true,
  appliedPersistence: true,
  drift: [],
};
const limitBytes = containerMemoryMib(64 * mib, true) * mib;
const right: Sight = {
  container: { id: 'c', name: 'swiftcache-inst_a', state: 'running' },
  volumeCreatedAt: new Date('2030-01-01T00:00:00Z'),
  limits: {
    memoryBytes: limitBytes,
    memorySwapBytes: limitBytes,
    restartPolicy: 'unless-stopped',
  },
  parameters: liveParameters(row),
};

const kindsOf = (recorded: Recorded, sight: Sight): string[] =>
  compare(recorded, sight).map(({ kind }) => kind);
const inState = (state: string): Sight => ({
  ...right,
  container: { id: 'c', name: 'n', state },
  parameters: undefined,
});

test('an instance that is as recorded has no drift', (t) => {
  t.deepEqual(compare(row, right), []);
  t.deepEqual(compare(row, { ...right, limits: undefined, parameters: undefined }), []);
  const stopped = { ...row, power: 'off' as const };
  t.deepEqual(compare(stopped, inState('exited')), []);
  t.deepEqual(compare(stopped, inState('created')), []);
});

test('each state of a container is told apart, and one that Docker works on is left to it', (t) => {
  t.deepEqual(kindsOf(row, { ...right, container: undefined }), ['container_missing']);
  for (const state of ['exited', 'dead', 'created', 'restarting']) {
    t.deepEqual(kindsOf(row, inState(state)), ['container_stopped'], state);
  }
  t.deepEqual(kindsOf(row, inState('paused')), ['container_paused']);
  t.deepEqual(kindsOf(row, inState('removing')), []);
  const stopped = { ...row, power: 'off' as const };
  t.deepEqual(kindsOf(stopped, inState('running')), ['container_started']);
  t.deepEqual(kindsOf(stopped, inState('paused')), ['container_paused']);
  t.deepEqual(kindsOf(stopped, { ...right, container: undefined }), ['container_missing']);
});

test('limits that were changed are told with what they were to be', (t) => {
  const limits = {
    memoryBytes: 512 * mib,
    memorySwapBytes: 1024 * mib,
    restartPolicy: 'no',
  };
  const [difference, ...others] = compare(row, { ...right, limits });
  t.deepEqual(others, []);
  t.is(difference?.kind, 'limits_changed');
  t.is(
    difference?.detail,
    'Its container was changed: its memory limit is 512 MiB instead of 208 MiB, ' +
      'its limit with swap is 1024 MiB instead of 208 MiB, its restart policy is no instead of unless-stopped.',
  );
});

test('a host that does not account for swap is no drift', (t) => {
  for (const memorySwapBytes of [-1, 0]) {
    const limits = { memoryBytes: limitBytes, memorySwapBytes, restartPolicy: 'unless-stopped' };
    t.deepEqual(compare(row, { ...right, limits }), []);
  }
});

test('every live setting is compared', (t) => {
  const others: Record<string, string> = {
    maxmemory: '1',
    'maxmemory-policy': 'noeviction',
    appendonly: 'no',
    appendfsync: 'no',
    save: '',
  };
  t.deepEqual(Object.keys(others).sort(), Object.keys(liveParameters(row)).sort());
  for (const [name, value] of Object.entries(others)) {
    const parameters = { ...liveParameters(row), [name]: value };
    const [difference, ...rest] = compare(row, { ...right, parameters });
    t.is(difference?.kind, 'settings_changed');
    t.regex(difference?.detail ?? '', new RegExp(`: ${name} is ${value || '""'} instead of `));
    t.deepEqual(rest, []);
  }
});

test('a lost volume is a loss of data only where data was promised', (t) => {
  const gone = { ...inState(''), volumeCreatedAt: undefined, container: undefined };
  t.deepEqual(kindsOf(row, gone), ['data_volume_missing', 'container_missing']);
  const cache = { ...row, persistence: false, appliedPersistence: false };
  t.deepEqual(kindsOf(cache, gone), ['volume_missing', 'container_missing']);
});

test('a volume made after the loss is not the lost one, an older one is', (t) => {
  const since = '2030-01-02T00:00:00.000Z';
  const lost = { ...row, drift: [{ kind: 'data_volume_missing', detail: '', since }] };
  const madeAt = (volumeCreatedAt: string): Sight => ({
    ...right,
    volumeCreatedAt: new Date(volumeCreatedAt),
  });
  t.deepEqual(kindsOf(lost, madeAt('2030-01-02T00:00:01Z')), ['data_volume_missing']);
  t.deepEqual(kindsOf(lost, madeAt('2030-01-01T23:59:59Z')), ['data_volume_missing']);
  t.deepEqual(kindsOf(lost, madeAt('2030-01-01T00:00:00Z')), []);
});

test('what was noted stays noted while nobody looks, and ends when somebody did', (t) => {
  const since = new Date().toISOString();
  const limits = { kind: 'limits_changed', detail: 'Other limits.' } as const;
  const settings = { kind: 'settings_changed', detail: 'Other settings.' } as const;
  const noted = { ...row, drift: [limits, settings].map((note) => ({ ...note, since })) };
  t.deepEqual(compare(noted, { ...right, parameters: undefined }), [settings]);
  t.deepEqual(compare(noted, { ...right, limits: undefined }), [limits]);
  t.deepEqual(kindsOf(noted, inState('exited')), ['container_stopped', 'settings_changed']);
  // Nobody can look at what is gone.
  t.deepEqual(kindsOf(noted, { ...right, container: undefined }), ['container_missing']);
  t.deepEqual(compare(noted, right), []);
});

test('only a look at everything says that nothing differs', (t) => {
  t.true(isSeenWhole(row, right));
  t.false(isSeenWhole(row, { ...right, parameters: undefined }));
  t.false(isSeenWhole(row, { ...right, limits: undefined }));
  const stopped = { ...row, power: 'off' as const };
  t.true(isSeenWhole(stopped, inState('exited')));
});
