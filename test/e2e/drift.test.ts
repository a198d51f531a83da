/** What becomes of instances past the service: noticed within 5 s, mended or told, and Pulumi agrees. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { containerMemoryMib } from '../../infra/sizing.ts';
import { pollUntil } from '../../src/lib/retry.ts';
import type { Orm } from '../../src/store/database.ts';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { containerOf, docker, listVolumesOf } from '../support/docker.ts';
import { asPlatform, openServiceDatabase } from '../support/instance-access.ts';
import { runPulumi } from '../support/pulumi.ts';
import {
  awaitOperation,
  createRunningInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

const mib = 1024 * 1024;
const noticedWithinMs = 5_000;
const patience = { timeoutMs: 60_000, intervalMs: 50 };
const run = promisify(execFile);

interface World {
  readonly t: ExecutionContext;
  readonly service: TestService;
  readonly orm: Orm;
}

async function startWorld(t: ExecutionContext): Promise<World> {
  const service = await startTestService(t);
  const orm = await openServiceDatabase(service);
  t.teardown(() => orm.close());
  return { t, service, orm };
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API, as it came.
async function read({ service }: World, { id }: TestInstance): Promise<any> {
  return (await service.api.call('GET', `/api/v1/instances/${id}`)).instance;
}

async function untilStatus(world: World, instance: TestInstance, status: string) {
  return await pollUntil(async () => {
    const shown = await read(world, instance);
    return shown.status === status ? shown : undefined;
  }, patience);
}

/** Does a deed and waits until the audit log tells of it; asserts that it was in time. */
async function notice(
  { t, orm }: World,
  { id }: TestInstance,
  kind: string,
  deed: () => Promise<unknown>,
  action = 'instance.drift',
) {
  const since = new Date();
  await deed();
  const doneAt = Date.now();
  const entry = await pollUntil(async () => {
    const where = { targetId: id, action, createdAt: { $gte: since } };
    const entries = await orm.em.fork().find(AuditEntryEntity, where);
    return entries.find(({ details }) => JSON.stringify(details).includes(kind));
  }, patience);
  const tookMs = entry.createdAt.getTime() - doneAt;
  t.log(`${kind} noticed after ${tookMs} ms`);
  t.true(tookMs <= noticedWithinMs, `${kind} was noticed only after ${tookMs} ms`);
  t.is(entry.actorKind, 'system');
  return entry.details as { done: string; operationId?: string };
}

/** The same, and waits until it is mended. */
async function mend(
  world: World,
  instance: TestInstance,
  kind: string,
  deed: () => Promise<unknown>,
): Promise<void> {
  const { t, service } = world;
  const { done, operationId } = await notice(world, instance, kind, deed);
  t.is(done, 'repair');
  const operation = await awaitOperation(service, operationId ?? '');
  t.is(operation.status, 'SUCCEEDED', JSON.stringify(operation));
  t.is(operation.kind, 'repair');
  const shown = await untilStatus(world, instance, 'RUNNING');
  t.deepEqual(shown.drift, []);
  t.is(await ping(instance), 'PONG');
}

async function ping(instance: TestInstance): Promise<string> {
  const redis = connect(instance);
  try {
    return await redis.ping();
  } finally {
    redis.disconnect();
  }
}

function connect({ port, key }: TestInstance): Redis {
  const redis = new Redis({ port, password: key, maxRetriesPerRequest: 3 });
  redis.on('error', () => {});
  return redis;
}

async function agree({ t, service }: World, { id }: TestInstance): Promise<void> {
  t.regex(await runPulumi(service, `preview -s ${id} --expect-no-changes`), /unchanged/);
}

async function removeContainer({ id }: TestInstance): Promise<void> {
  await (await containerOf(id)).remove({ force: true });
}

async function removeVolume({ id }: TestInstance): Promise<void> {
  for (const name of await listVolumesOf(id)) await docker.getVolume(name).remove();
}

test.serial('what is done to a container is noticed and mended, and its data stays', async (t) => {
  const world = await startWorld(t);
  const { service, orm } = world;
  const instance = await createRunningInstance(service, { persistence: true, maxMemory: 32 * mib });
  const redis = connect(instance);
  await redis.set('kept', 'value');
  redis.disconnect();
  const container = () => containerOf(instance.id);

  await mend(world, instance, 'container_stopped', async () => (await container()).stop({ t: 5 }));
  await mend(world, instance, 'container_paused', async () => (await container()).pause());
  const limitBytes = containerMemoryMib(32 * mib, true) * mib;
  await mend(world, instance, 'limits_changed', async () => {
    // As an operator would; the client's own way sends nothing but what it knows.
    const { id } = await container();
    const limits = ['--memory', '300m', '--memory-swap', '400m', '--restart', 'no'];
    await run('docker', ['update', ...limits, id]);
  });
  const { HostConfig } = await (await container()).inspect();
  t.is(HostConfig.Memory, limitBytes);
  t.is(HostConfig.MemorySwap, limitBytes);
  t.is(HostConfig.RestartPolicy?.Name, 'unless-stopped');

  await mend(world, instance, 'settings_changed', () =>
    asPlatform(service, orm, instance.id, async (admin) => {
      const settings = ['maxmemory', '20000000', 'appendonly', 'no', 'save', ''];
      await admin.config('SET', ...(settings as [string, string]));
    }),
  );
  const live = await asPlatform(service, orm, instance.id, (admin) =>
    admin.config('GET', 'maxmemory', 'appendonly'),
  );
  t.deepEqual([...(live as string[])].sort(), [`${32 * mib}`, 'appendonly', 'maxmemory', 'yes']);

  const [keyId] = await asPlatform(service, orm, instance.id, async (admin) => {
    const users = (await admin.call('ACL', 'USERS')) as string[];
    return users.filter((name) => name.startsWith('key_'));
  });
  const deleteUser = () =>
    asPlatform(service, orm, instance.id, (admin) => admin.call('ACL', 'DELUSER', keyId ?? ''));
  await notice(world, instance, keyId ?? '', deleteUser, 'access.mend');
  t.is(await ping(instance), 'PONG');

  await mend(world, instance, 'container_missing', () => removeContainer(instance));
  const again = connect(instance);
  const kept = await again.get('kept');
  again.disconnect();
  t.is(kept, 'value');
  await agree(world, instance);
});

test.serial('a cache whose volume is lost is made anew, with its keys and settings', async (t) => {
  const world = await startWorld(t);
  const { service, orm } = world;
  const instance = await createRunningInstance(service, { evictionPolicy: 'allkeys-lfu' });
  await mend(world, instance, '"volume_missing', async () => {
    await removeContainer(instance);
    await removeVolume(instance);
  });
  const policy = await asPlatform(service, orm, instance.id, (admin) =>
    admin.config('GET', 'maxmemory-policy'),
  );
  t.deepEqual(policy, ['maxmemory-policy', 'allkeys-lfu']);
  await agree(world, instance);

  await notice(world, instance, 'container_oom_killed', () =>
    asPlatform(service, orm, instance.id, fillBeyondLimit),
  );
  await pollUntil(async () => ((await ping(instance)) === 'PONG' ? true : undefined), patience);

  await pollUntil(
    async () => (await read(world, instance)).drift.length === 0 || undefined,
    patience,
  );
  const path = `/api/v1/instances/${instance.id}`;
  await service.api.call('PATCH', path, { driftPolicy: 'report' });
  const { done } = await notice(world, instance, 'container_paused', async () => {
    await (await containerOf(instance.id)).pause();
  });
  t.is(done, 'report');
  const shown = await read(world, instance);
  t.is(shown.status, 'DEGRADED');
  t.deepEqual(Object.keys(shown.drift[0]).sort(), ['detail', 'kind', 'since']);
  t.is(shown.drift[0].kind, 'container_paused');
  const list = `/api/v1/instances?organizationId=${service.organizationId}&status=DEGRADED`;
  t.is((await service.api.call('GET', list)).instances.length, 1);
  // Whoever did it takes it back: the instance is as recorded again, and that is told too.
  await (await containerOf(instance.id)).unpause();
  t.deepEqual((await untilStatus(world, instance, 'RUNNING')).drift, []);
  const ends = { targetId: instance.id, action: 'instance.drift-end' };
  t.is(await orm.em.fork().count(AuditEntryEntity, ends), 1);
});

test.serial('lost data is told, never replaced, until its owner accepts the loss', async (t) => {
  const world = await startWorld(t);
  const { service, orm } = world;
  const instance = await createRunningInstance(service, { persistence: true });
  const path = `/api/v1/instances/${instance.id}`;
  const { done } = await notice(world, instance, 'data_volume_missing', async () => {
    await removeContainer(instance);
    await removeVolume(instance);
  });
  t.is(done, 'report');
  const shown = await untilStatus(world, instance, 'DEGRADED');
  t.is(shown.failure.code, 'data_volume_missing');
  t.regex(shown.failure.remedy, /acceptDataLoss/);

  t.is(
    (await service.api.call('POST', `${path}/retry`, undefined, 409)).code,
    'data_volume_missing',
  );
  for (const [method, deed, body] of [
    ['POST', '/restart', undefined],
    ['PATCH', '', { maxMemory: 48 * mib }],
  ] as const) {
    const { operation } = await service.api.call(method, `${path}${deed}`, body);
    const ended = await awaitOperation(service, operation.id);
    t.is(ended.status, 'FAILED', deed);
    t.is(ended.error.code, 'data_volume_missing');
    t.deepEqual(await listVolumesOf(instance.id), []);
    t.is((await untilStatus(world, instance, 'DEGRADED')).maxMemory, 32 * mib);
  }

  // An operator brings the stack up: there is an empty volume then, and still nobody has said that it may be.
  await runPulumi(service, `up -s ${instance.id} --refresh --yes`);
  t.is((await listVolumesOf(instance.id)).length, 1);
  const { operation: restart } = await service.api.call('POST', `${path}/restart`);
  t.is((await awaitOperation(service, restart.id)).error.code, 'data_volume_missing');
  t.is((await read(world, instance)).drift[0].kind, 'data_volume_missing');

  const retry = await service.api.call('POST', `${path}/retry`, { acceptDataLoss: true });
  const ended = await awaitOperation(service, retry.operation.id);
  t.is(ended.status, 'SUCCEEDED', JSON.stringify(ended));
  t.deepEqual((await untilStatus(world, instance, 'RUNNING')).drift, []);
  t.is(await ping(instance), 'PONG');
  await agree(world, instance);
  const accepted = await orm.em.fork().find(AuditEntryEntity, { action: 'instance.retry' });
  t.true(accepted.some(({ details }) => details.acceptDataLoss === true));
});

test.serial('a stopped instance that is started or removed by hand is stopped again', async (t) => {
  const world = await startWorld(t);
  const { service } = world;
  const instance = await createRunningInstance(service);
  const { operation } = await service.api.call('POST', `/api/v1/instances/${instance.id}/stop`);
  t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
  for (const [kind, deed] of [
    ['container_started', async () => (await containerOf(instance.id)).start()],
    ['container_missing', () => removeContainer(instance)],
  ] as const) {
    const { operationId } = await notice(world, instance, kind, deed);
    t.is((await awaitOperation(service, operationId ?? '')).status, 'SUCCEEDED');
    t.like(await read(world, instance), { status: 'STOPPED', drift: [] });
    t.false((await (await containerOf(instance.id)).inspect()).State.Running);
  }
  await agree(world, instance);
});

/** Lets Redis take more memory than its container has; the connection ends with it. */
async function fillBeyondLimit(admin: Redis): Promise<void> {
  await admin.config('SET', 'maxmemory', '0');
  const bytes = 4 * mib;
  const writes = Array.from({ length: 64 }, (_, index) =>
    admin.call('SETRANGE', `big:${index}`, bytes, 'x').catch(() => {}),
  );
  await Promise.all(writes);
}
