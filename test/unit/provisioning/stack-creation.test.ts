import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import type { WorkerSettings } from '../../../src/provisioning/messages.ts';
import { createStack } from '../../../src/provisioning/stack-creation.ts';
import { temporaryFolder } from '../../support/folders.ts';

const name = 'inst_abcdefghijklmnop';
const model = 'eu-central';
const salt = 'v1:c2FsdA==:v1:bm9uY2U=:Y2lwaGVy';
const manifest = { time: '2024-01-15T10:30:00Z', magic: 'abc', version: 'v3.220.0' };
const secrets = { type: 'passphrase', state: { salt } };
const goodModel = {
  version: 3,
  checkpoint: {
    stack: `organization/swiftcache/${model}`,
    latest: {
      manifest,
      secrets_providers: secrets,
      resources: [{ urn: 'urn:…', type: 'pulumi:pulumi:Stack' }],
      metadata: {},
    },
  },
};

/** A file backend, perhaps with a model in it; `created` lists what Pulumi was asked to create. */
function prepare(t: ExecutionContext, modelFile?: unknown, backendUrl?: string) {
  const root = temporaryFolder(t);
  const stacksDir = join(root, 'stacks');
  const folder = join(root, 'state/.pulumi/stacks/swiftcache');
  mkdirSync(stacksDir);
  mkdirSync(folder, { recursive: true });
  const text = typeof modelFile === 'string' ? modelFile : JSON.stringify(modelFile);
  if (modelFile !== undefined) writeFileSync(join(folder, `${model}.json`), text);
  const created: string[] = [];
  const settings = {
    stacksDir,
    backendUrl: backendUrl ?? `file://${join(root, 'state')}`,
  } as WorkerSettings;
  const workspace = {
    async createStack(stack: string) {
      created.push(stack);
    },
  } as unknown as Parameters<typeof createStack>[1];
  return {
    created,
    checkpoint: join(folder, `${name}.json`),
    configFiles: () => readdirSync(stacksDir),
    readConfig: () => parse(readFileSync(join(stacksDir, `Pulumi.${name}.yaml`), 'utf8')),
    create: (of: string | undefined = model) => createStack(settings, workspace, name, of),
    createWithoutModel: () => createStack(settings, workspace, name, undefined),
  };
}

test("a new stack has its model's manifest and salt, and none of its resources", async (t) => {
  const { create, checkpoint, created, readConfig } = prepare(t, goodModel);
  await create();
  t.deepEqual(JSON.parse(readFileSync(checkpoint, 'utf8')), {
    version: 3,
    checkpoint: {
      stack: `organization/swiftcache/${name}`,
      latest: { manifest, secrets_providers: secrets, metadata: {} },
    },
  });
  t.is(statSync(checkpoint).mode & 0o777, 0o600);
  t.deepEqual(readConfig(), { encryptionsalt: salt });
  t.deepEqual(created, []);
});

test('a stack that is there is never overwritten', async (t) => {
  const { create, checkpoint, created, configFiles } = prepare(t, goodModel);
  writeFileSync(checkpoint, '{"precious":true}');
  await t.throwsAsync(create(), { code: 'EEXIST' });
  t.is(readFileSync(checkpoint, 'utf8'), '{"precious":true}');
  t.deepEqual(created, []);
  t.deepEqual(configFiles(), []);
});

const { latest } = goodModel.checkpoint;
const withLatest = (change: object) => {
  return { ...goodModel, checkpoint: { latest: { ...latest, ...change } } };
};
const unfit: Record<string, unknown> = {
  'a model that is not there': undefined,
  'a model that is not JSON': '{"version":',
  'a model of another version': { ...goodModel, version: 4 },
  'a model without a state': { version: 3, checkpoint: {} },
  'a model without a salt': withLatest({ secrets_providers: { type: 'passphrase', state: {} } }),
  'a model with an empty salt': withLatest({
    secrets_providers: { type: 'passphrase', state: { salt: '' } },
  }),
  'a model without secrets': withLatest({ secrets_providers: undefined }),
  "a model of another secrets' provider": withLatest({
    secrets_providers: { type: 'cloud', state: { salt } },
  }),
};

for (const [what, modelFile] of Object.entries(unfit)) {
  test(`Pulumi creates the stack where there is ${what}`, async (t) => {
    const { create, created, configFiles, checkpoint } = prepare(t, modelFile);
    await create();
    t.deepEqual(created, [name]);
    t.deepEqual(configFiles(), []);
    t.throws(() => readFileSync(checkpoint));
  });
}

test('Pulumi creates the stack in any backend but a folder', async (t) => {
  const { create, created } = prepare(t, goodModel, 's3://bucket');
  await create();
  t.deepEqual(created, [name]);
});

test('Pulumi creates the stack where no model is named', async (t) => {
  const { createWithoutModel, created } = prepare(t, goodModel);
  await createWithoutModel();
  t.deepEqual(created, [name]);
});
