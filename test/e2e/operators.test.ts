/** Operators at work with the real CLI: what they do with Pulumi and what the API says never differ. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { pollUntil } from '../../src/lib/retry.ts';
import { postgresLocation } from '../support/databases.ts';
import { listContainersOf, listVolumesOf } from '../support/docker.ts';
import { temporaryFolder } from '../support/folders.ts';
import { makeImage } from '../support/images.ts';
import { runPulumi } from '../support/pulumi.ts';
import { copyRepository } from '../support/repository-copy.ts';
import {
  awaitOperation,
  createRunningInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

const mib = 1024 * 1024;
/** Beside other tests all of it takes longer. */
const timeoutMs = 5 * 60_000;
/** From the end of an operator's run. */
const adoptedWithinMs = 5_000;
const up = '--yes --skip-preview --suppress-progress';

test.serial(
  "what an operator sets and brings up is the API's, with whose deed it was, and is built upon",
  async (t) => {
    t.timeout(timeoutMs);
    const image = await makeImage(t, 'LABEL release=next');
    const root = copyRepository(t, [image]);
    const service = await startTestService(t, {}, join(root, 'src/main.ts'));
    const instance = await createRunningInstance(service);
    const wanted = { maxMemoryBytes: 64 * mib, persistence: true, image };
    await set(service, instance, wanted, root);
    await runPulumi(service, `up -s ${instance.id} ${up}`, root);
    const startedMs = performance.now();
    await pollUntil(
      async () => ((await show(service, instance)).maxMemory === 64 * mib ? true : undefined),
      { timeoutMs: adoptedWithinMs, intervalMs: 50 },
    );
    t.log(`adopted after ${Math.round(performance.now() - startedMs)} ms`);
    const shown = await show(service, instance);
    t.like(shown, { status: 'RUNNING', persistence: true, image: image.slice(0, 19), drift: [] });
    const details = { maxMemory: 64 * mib, persistence: true, image, via: 'pulumi up' };
    t.deepEqual(await operatorLines(service, instance), [{ action: 'instance.update', details }]);

    // A wish that comes while an operator's run is under way waits for it, and keeps what it made.
    await set(service, instance, { maxMemoryBytes: 96 * mib }, root);
    const running = runPulumi(service, `up -s ${instance.id} ${up}`, root);
    const isLocked = async () => (locksOf(service, instance).length > 0 ? true : undefined);
    await pollUntil(isLocked, { timeoutMs: 30_000, intervalMs: 5 });
    const { operation } = await patch(service, instance, { evictionPolicy: 'volatile-lru' });
    await running;
    t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
    t.like(await show(service, instance), { maxMemory: 96 * mib, evictionPolicy: 'volatile-lru' });
    const redis = new Redis({ host: instance.host, port: instance.port, password: instance.key });
    const info = await redis.info('memory');
    redis.disconnect();
    t.regex(info, new RegExp(`^maxmemory:${96 * mib}\\r?$`, 'm'));
    t.regex(info, /^maxmemory_policy:volatile-lru\r?$/m);
    await agree(t, service, instance, root);
  },
);

test.serial(
  'a refused up, refresh, export, import and cancel leave both sides agreeing, elsewhere too',
  async (t) => {
    t.timeout(timeoutMs);
    const service = await startTestService(t);
    const instance = await createRunningInstance(service);
    const before = await show(service, instance);

    await set(service, instance, { maxMemoryBytes: 2 ** 50 });
    const refused = await t.throwsAsync(runPulumi(service, `up -s ${instance.id} ${up}`));
    t.regex(String((refused as { stdout?: string }).stdout), /memory-limit/);
    const file = join(temporaryFolder(t), 'state.json');
    for (const command of ['refresh --yes', 'cancel --yes', `stack export --file ${file}`]) {
      await runPulumi(
        service,
        `${command} -s ${instance.id}`.replace('cancel --yes -s', 'cancel --yes'),
      );
    }
    await runPulumi(service, `stack import --file ${file} -s ${instance.id}`);
    t.deepEqual(await show(service, instance), before);

    // What was refused is in nobody's way, and is not kept.
    const { operation } = await patch(service, instance, { evictionPolicy: 'noeviction' });
    t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
    t.like(await show(service, instance), { ...pick(before), evictionPolicy: 'noeviction' });
    t.deepEqual(await operatorLines(service, instance), []);
    await agree(t, service, instance);

    // Another machine: a data directory of its own, the same backend and passphrase.
    const elsewhere = {
      ...service.environment,
      SWIFTCACHE_DATA_DIR: temporaryFolder(t),
      SWIFTCACHE_STATE_BACKEND_URL: `file://${service.dataDir}/pulumi`,
      SWIFTCACHE_PASSPHRASE_FILE: join(service.dataDir, 'passphrase'),
    };
    const there = { ...service, environment: elsewhere };
    await runPulumi(there, `config refresh -s ${instance.id}`);
    const preview = `preview -s ${instance.id} --expect-no-changes`;
    t.regex(await runPulumi(there, preview), /unchanged/);
  },
);

test.serial('an instance whose stack an operator destroys is gone from everywhere', async (t) => {
  t.timeout(timeoutMs);
  const service = await startTestService(t);
  const kept = await createRunningInstance(service);
  const instance = await createRunningInstance(service, { deletionProtection: true });
  await runPulumi(service, `destroy -s ${instance.id} ${up}`);
  await awaitGone(service, instance);
  const [line] = await operatorLines(service, instance);
  t.like(line, { action: 'instance.delete', details: { via: 'pulumi destroy' } });
  t.deepEqual(await listContainersOf(instance.id), []);
  t.deepEqual(await listVolumesOf(instance.id), []);
  const files = readdirSync(service.dataDir, { recursive: true }).map(String);
  t.deepEqual(
    files.filter((name) => name.includes(instance.id)),
    [],
  );
  const { operation } = await patch(service, kept, { evictionPolicy: 'noeviction' });
  t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
});

test.serial(
  "a change waits for another's lock without losing tries, says so, and goes on when it is dead",
  async (t) => {
    t.timeout(timeoutMs);
    const service = await startTestService(t);
    const instance = await createRunningInstance(service);
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      argv0: 'pulumi',
    });
    t.teardown(() => holder.kill('SIGKILL'));
    const folder = lockFolder(service, instance);
    mkdirSync(folder, { recursive: true });
    const owner = { pid: holder.pid, username: 'somebody', hostname: hostname() };
    writeFileSync(join(folder, 'a.json'), JSON.stringify({ ...owner, timestamp: new Date() }));
    const { operation } = await patch(service, instance, { maxMemory: 64 * mib });
    const waiting = await pollUntil(
      async () => {
        const { operation: read } = await service.api.call(
          'GET',
          `/api/v1/operations/${operation.id}`,
        );
        return read.steps.length > 0 ? read : undefined;
      },
      { timeoutMs: 10_000, intervalMs: 50 },
    );
    t.like(waiting, { status: 'RUNNING', finishedAt: null });
    t.is(waiting.steps[0].name, 'wait');
    const stubborn = await t.throwsAsync(runPulumi(service, `up -s ${instance.id} ${up}`));
    t.regex((stubborn as unknown as { stderr: string }).stderr, /currently locked[\s\S]*try again/);
    holder.kill('SIGKILL');
    const ended = await awaitOperation(service, operation.id);
    t.is(ended.status, 'SUCCEEDED', JSON.stringify(ended));
    t.is(ended.steps.filter(({ name }: { name: string }) => name === 'wait').length, 1);
    t.deepEqual(locksOf(service, instance), []);
    await agree(t, service, instance);
  },
);

test.serial(
  "with Pulumi's state in PostgreSQL, an up is adopted and a destroy ends the instance too",
  async (t) => {
    t.timeout(timeoutMs);
    const { databaseUrl } = await postgresLocation();
    const state = { SWIFTCACHE_STATE_BACKEND_URL: `${databaseUrl}?sslmode=disable` };
    const service = await startTestService(t, state);
    const instance = await createRunningInstance(service);
    await set(service, instance, { maxMemoryBytes: 64 * mib });
    await runPulumi(service, `up -s ${instance.id} ${up}`);
    await pollUntil(
      async () => ((await show(service, instance)).maxMemory === 64 * mib ? true : undefined),
      { timeoutMs: 2 * adoptedWithinMs, intervalMs: 50 },
    );
    await runPulumi(service, `destroy --remove -s ${instance.id} ${up}`);
    await awaitGone(service, instance);
    const lines = await operatorLines(service, instance);
    t.deepEqual(
      lines.map(({ action }) => action),
      ['instance.delete', 'instance.update'],
    );
  },
);

async function set(
  service: TestService,
  { id }: TestInstance,
  values: Record<string, string | number | boolean>,
  root?: string,
): Promise<void> {
  const pairs = Object.entries(values).map(
    ([name, value]) => `--plaintext swiftcache:${name}=${value}`,
  );
  await runPulumi(service, `config set-all -s ${id} ${pairs.join(' ')}`, root);
}

async function awaitGone(service: TestService, { id }: TestInstance): Promise<void> {
  await pollUntil(
    async () => {
      const found = service.api.call('GET', `/api/v1/instances/${id}`, undefined, 404);
      return (await found.catch(() => undefined)) && true;
    },
    { timeoutMs: 30_000, intervalMs: 100 },
  );
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API, as it came.
async function show(service: TestService, { id }: TestInstance): Promise<any> {
  return (await service.api.call('GET', `/api/v1/instances/${id}`)).instance;
}

async function patch(
  service: TestService,
  { id }: TestInstance,
  changes: object,
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API, as it came.
): Promise<any> {
  return await service.api.call('PATCH', `/api/v1/instances/${id}`, changes);
}

/** What the audit log has of operators, newest first. */
async function operatorLines(
  service: TestService,
  { id }: TestInstance,
): Promise<{ action: string; details: Record<string, unknown> }[]> {
  const path = `/api/v1/audit?organizationId=${service.organizationId}`;
  const { entries } = await service.api.call('GET', path);
  interface Entry {
    actor: { kind: string };
    action: string;
    targetId: string;
    details: Record<string, unknown>;
  }
  return (entries as Entry[])
    .filter(({ actor, targetId }) => actor.kind === 'operator' && targetId === id)
    .map(({ action, details }) => ({ action, details }));
}

function pick({ maxMemory, persistence, status }: Record<string, unknown>) {
  return { maxMemory, persistence, status };
}

function lockFolder({ dataDir }: TestService, { id }: TestInstance): string {
  return join(dataDir, 'pulumi/.pulumi/locks/organization/swiftcache', id);
}

function locksOf(service: TestService, instance: TestInstance): string[] {
  const folder = lockFolder(service, instance);
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
}

async function agree(
  t: ExecutionContext,
  service: TestService,
  { id }: TestInstance,
  root?: string,
): Promise<void> {
  const preview = `preview -s ${id} --refresh --expect-no-changes`;
  t.regex(await runPulumi(service, preview, root), /unchanged/);
}
