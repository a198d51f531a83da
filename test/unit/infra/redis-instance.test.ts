import { readFileSync } from 'node:fs';
import test from 'ava';
import { containerMemoryMib } from '../../../infra/sizing.ts';
import type { InstanceSpec } from '../../../infra/stack-config.ts';
import {
  containerType,
  declareInstance,
  inputsOf,
  mockPassword,
  mockPasswordHash,
  someSpec,
} from '../../support/pulumi-mocks.ts';

const mib = 1024 * 1024;
const settingsType = 'swiftcache:index:RedisSettings';
const volumeType = 'docker:index/volume:Volume';
const plans: Record<string, { maxMemoryMibMin: number; maxMemoryMibMax: number }> = JSON.parse(
  readFileSync(new URL('../../../plans.json', import.meta.url), 'utf8'),
);

test.serial('a stack is a volume, a password, a container and its settings', async (t) => {
  const resources = await declareInstance();
  t.deepEqual(resources.map(({ type }) => type).sort(), [
    containerType,
    volumeType,
    'swiftcache:index:InstancePassword',
    settingsType,
    'swiftcache:infra:RedisInstance',
  ]);
});

for (const [tier, { maxMemoryMibMin, maxMemoryMibMax }] of Object.entries(plans)) {
  for (const persistence of [false, true]) {
    test(`the memory of ${tier} leaves room above maxmemory, persistence ${persistence}`, (t) => {
      let last = 0;
      for (let size = maxMemoryMibMin; size <= maxMemoryMibMax; size += 1) {
        const memory = containerMemoryMib(size * mib, persistence);
        if (!Number.isInteger(memory) || memory <= size || memory < last) t.fail(`${size} MiB`);
        last = memory;
      }
      t.true(last > maxMemoryMibMax);
    });
  }

  test.serial(`a container of ${tier} has memory = memorySwap > maxmemory`, async (t) => {
    const sizes = [maxMemoryMibMin, 17, 100, 511.5, 4_096, maxMemoryMibMax];
    for (const maxMemoryBytes of sizes.map((size) => size * mib)) {
      for (const persistence of [false, true]) {
        const resources = await declareInstance({ maxMemoryBytes, persistence });
        const { memory, memorySwap } = inputsOf(resources, containerType);
        t.is(memory, memorySwap);
        t.true(Number(memory) * mib > maxMemoryBytes);
        t.like(inputsOf(resources, settingsType), { maxMemoryBytes, persistence });
      }
    }
  });
}

test('persistence never takes memory away', (t) => {
  for (let size = 16; size <= 16_384; size *= 2) {
    t.true(containerMemoryMib(size * mib, true) > containerMemoryMib(size * mib, false));
  }
});

test.serial('the password is in no property but that of the settings', async (t) => {
  const resources = await declareInstance();
  for (const { type, inputs } of resources) {
    if (type === settingsType) continue;
    t.false(JSON.stringify(inputs).includes(mockPassword), type);
  }
  const container = inputsOf(resources, containerType);
  t.true((container.command as string[]).includes(mockPasswordHash));
  t.is(container.envs, undefined);
});

test.serial('the container is hardened', async (t) => {
  t.like(inputsOf(await declareInstance(), containerType), {
    readOnly: true,
    user: '999:999',
    capabilities: { drops: ['ALL'] },
    securityOpts: ['no-new-privileges:true'],
    restart: 'unless-stopped',
    logDriver: 'json-file',
  });
});

test.serial(
  'the container keeps its data when it is replaced, and is given time to save',
  async (t) => {
    const { removeVolumes, destroyGraceSeconds } = inputsOf(await declareInstance(), containerType);
    t.is(removeVolumes, false);
    t.true(Number(destroyGraceSeconds) >= 30);
  },
);

test.serial('the container and its volume carry the labels they are found by', async (t) => {
  const resources = await declareInstance();
  const labels = [
    { label: 'swiftcache.installation', value: someSpec.installationId },
    { label: 'swiftcache.instance', value: someSpec.instanceId },
    { label: 'swiftcache.region', value: someSpec.region },
  ];
  for (const type of [containerType, volumeType]) {
    t.deepEqual(inputsOf(resources, type).labels, labels);
    t.is(inputsOf(resources, type).name, `swiftcache-${someSpec.instanceId}`);
  }
});

test.serial('the container listens on loopback at the port of the database', async (t) => {
  const { ports, networksAdvanced } = inputsOf(await declareInstance(), containerType);
  t.deepEqual(ports, [{ internal: 6379, external: 20_000, ip: '127.0.0.1', protocol: 'tcp' }]);
  t.deepEqual(networksAdvanced, [{ name: someSpec.network }]);
});

/** What may change while an instance lives, and the container's properties that may change with it. */
const liveChanges: [Partial<InstanceSpec>, container: string[], settings: string[]][] = [
  [{ maxMemoryBytes: 1024 * mib }, ['memory', 'memorySwap'], ['maxMemoryBytes']],
  [{ evictionPolicy: 'noeviction' }, [], ['evictionPolicy']],
  [{ persistence: true }, ['memory', 'memorySwap'], ['persistence']],
];

for (const [change, ofContainer, ofSettings] of liveChanges) {
  test.serial(`changing ${Object.keys(change)} replaces nothing`, async (t) => {
    const before = await declareInstance();
    const after = await declareInstance(change);
    t.deepEqual(changedNames(before, after, containerType), ofContainer);
    t.deepEqual(changedNames(before, after, settingsType), ofSettings);
    t.deepEqual(changedNames(before, after, volumeType), []);
  });
}

type Resources = Awaited<ReturnType<typeof declareInstance>>;

function changedNames(before: Resources, after: Resources, type: string): string[] {
  const old = inputsOf(before, type);
  const now = inputsOf(after, type);
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return names.filter((name) => JSON.stringify(old[name]) !== JSON.stringify(now[name])).sort();
}

test.serial('the settings belong to the container and are reached where it listens', async (t) => {
  const { containerId, host, port } = inputsOf(await declareInstance(), settingsType);
  t.is(containerId, 'redis-id');
  t.is(host, '127.0.0.1');
  t.is(port, 20_000);
});
