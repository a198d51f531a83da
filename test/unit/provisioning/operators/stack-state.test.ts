import { chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { WorkerSettings } from '../../../../src/provisioning/messages.ts';
import { judgePending } from '../../../../src/provisioning/operators/pending-config.ts';
import { createStackStates } from '../../../../src/provisioning/operators/stack-state.ts';
import { temporaryFolder } from '../../../support/folders.ts';
import { testConfig } from '../../../support/test-config.ts';

const stack = 'inst_aaaaaaaaaaaaaaaa';
const settings = {
  maxMemoryBytes: 64 * 1024 * 1024,
  evictionPolicy: 'allkeys-lru',
  persistence: true,
  image: 'sha256:a',
};

/** As `pulumi up` writes it, but for what nobody reads here. */
const resources = [
  { type: 'pulumi:pulumi:Stack' },
  {
    type: 'pulumi:providers:swiftcache',
    inputs: { maxMemoryBytes: '1', persistence: 'false', image: 'sha256:of-the-file' },
  },
  { type: 'docker:index/container:Container', inputs: { image: 'sha256:a', memory: 208 } },
  { type: 'swiftcache:index:RedisSettings', inputs: { ...settings, image: undefined } },
];

function backend(t: ExecutionContext) {
  const root = temporaryFolder(t);
  const folder = join(root, '.pulumi/stacks/swiftcache');
  const stacksDir = join(root, 'stacks');
  for (const path of [folder, stacksDir]) mkdirSync(path, { recursive: true });
  const states = createStackStates(testConfig(), {
    backendUrl: `file://${root}`,
    stacksDir,
  } as WorkerSettings);
  const write = (name: string, latest: object | string): void =>
    writeFileSync(
      join(folder, `${name}.json`),
      typeof latest === 'string' ? latest : JSON.stringify({ version: 3, checkpoint: { latest } }),
    );
  return { folder, stacksDir, states, write };
}

test('a state says what its last run made, of the resources and not of the configuration', async (t) => {
  const { states, write } = backend(t);
  write(stack, { resources });
  t.deepEqual(await states.read(stack), { kind: 'made', settings });
  write(stack, { resources: resources.slice(0, 3) });
  t.deepEqual(await states.read(stack), { kind: 'made', settings: { image: 'sha256:a' } });
});

test('a stack without resources, or gone from among others, is empty; what cannot be read is unknown', async (t) => {
  const { states, write } = backend(t);
  // A backend without any stack has lost them, or is another one.
  t.deepEqual(await states.read(stack), { kind: 'unknown' });
  write('eu-central', { resources });
  t.deepEqual(await states.read(stack), { kind: 'empty' });
  write(stack, {});
  t.deepEqual(await states.read(stack), { kind: 'empty' });
  write(stack, { resources: resources.slice(0, 2) });
  t.deepEqual(await states.read(stack), { kind: 'empty' });
  write(stack, '{"version": 3, "checkp');
  t.deepEqual(await states.read(stack), { kind: 'unknown' });
});

test('a mark changes with each write and goes with its stack; other files have none', async (t) => {
  const { folder, states, write } = backend(t);
  t.is((await states.listMarks()).size, 0);
  write(stack, { resources });
  writeFileSync(join(folder, `${stack}.json.bak`), '');
  const first = await states.listMarks();
  t.deepEqual([...first.keys()], [stack]);
  const isAsSeen = await states.rememberState(stack);
  t.true(await isAsSeen());
  utimesSync(join(folder, `${stack}.json`), 1, 1);
  t.not((await states.listMarks()).get(stack), first.get(stack));
  t.false(await isAsSeen());
  rmSync(join(folder, `${stack}.json`));
  t.is((await states.listMarks()).size, 0);
  t.true(await (await states.rememberState(stack))());
});

test('in another backend too, a state that was written since it was seen is told from one that was not', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'state.json');
  const cli = join(folder, 'pulumi');
  // It is asked for `stack export` alone here.
  const missing = 'echo "error: no stack named \'$4\' found" >&2; exit 255';
  writeFileSync(cli, `#!/bin/sh\n[ -e "${file}" ] && exec /bin/cat "${file}"\n${missing}\n`);
  chmodSync(cli, 0o700);
  const states = createStackStates(testConfig(), {
    ...{ backendUrl: 's3://bucket', pulumiBinDir: folder, projectDir: folder },
    ...{ stacksDir: folder, passphraseFile: file, pulumiHome: folder, dockerHost: '' },
  });
  const ofNothing = await states.rememberState(stack);
  writeFileSync(file, '{"deployment":{"manifest":{"time":"one"}}}');
  t.true(await ofNothing());
  const isAsSeen = await states.rememberState(stack);
  t.true(await isAsSeen());
  writeFileSync(file, '{"deployment":{"manifest":{"time":"two"}}}');
  t.false(await isAsSeen());
  rmSync(file);
  t.false(await isAsSeen());
});

test('the configuration counts only where it was written later than the state', async (t) => {
  const { stacksDir, folder, states, write } = backend(t);
  t.deepEqual(await states.readNewerConfig(stack), {});
  write(stack, { resources });
  const file = join(stacksDir, `Pulumi.${stack}.yaml`);
  writeFileSync(file, 'config:\n  swiftcache:maxMemoryBytes: "1"\n');
  utimesSync(join(folder, `${stack}.json`), 10, 10);
  utimesSync(file, 11, 11);
  t.deepEqual(await states.readNewerConfig(stack), { 'swiftcache:maxMemoryBytes': '1' });
  utimesSync(file, 9, 9);
  t.deepEqual(await states.readNewerConfig(stack), {});
});

test('of what waits for an up, live settings within bounds go along and the rest is set back', (t) => {
  const judge = (name: string, value: unknown) =>
    judgePending({ [`swiftcache:${name}`]: value }, [settings]);
  t.deepEqual(judge('maxMemoryBytes', '134217728').accepted, { maxMemoryBytes: 134217728 });
  t.deepEqual(judge('persistence', false).accepted, { persistence: false });
  t.deepEqual(judge('evictionPolicy', 'noeviction').accepted, { evictionPolicy: 'noeviction' });
  for (const [name, value] of [
    ['maxMemoryBytes', '1'],
    ['maxMemoryBytes', '1e99'],
    ['maxMemoryBytes', ''],
    ['persistence', 'maybe'],
    ['evictionPolicy', 'constructor'],
    ['persistence', 'constructor'],
    ['image', 'sha256:b'],
  ] as const) {
    t.deepEqual(judge(name, value), { accepted: {}, refused: [name] }, `${name} ${value}`);
  }
  for (const [name, value] of Object.entries({ ...settings, port: 1 })) {
    t.deepEqual(judge(name, value), { accepted: {}, refused: [] }, name);
  }
});
