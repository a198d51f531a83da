/** Backups with real Docker, Redis and Pulumi: taken, checked, brought in, given out, restored. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { loadConfig } from '../../src/config.ts';
import { pollUntil } from '../../src/lib/retry.ts';
import { connectDocker } from '../../src/provisioning/docker.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { SettingEntity } from '../../src/store/entities/setting.ts';
import { openServiceDatabase } from '../support/instance-access.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import {
  accountKey,
  awaitOperation,
  createRunningInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';
import { countWritten, startWriter } from '../support/writer.ts';

const settleMs = 90_000;

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API, as it came.
async function awaitBackup(service: TestService, backupId: string): Promise<any> {
  const deadlineMs = performance.now() + settleMs;
  for (;;) {
    const { backup } = await service.api.call('GET', `/api/v1/backups/${backupId}`);
    if (backup.status === 'AVAILABLE' || backup.status === 'FAILED') return backup;
    if (performance.now() > deadlineMs) throw new Error(`backup ${backupId} did not end`);
    await sleep(100);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
async function takeBackup(service: TestService, instanceId: string): Promise<any> {
  const path = `/api/v1/instances/${instanceId}/backups`;
  const { backup } = await service.api.call('POST', path);
  return await awaitBackup(service, backup.id);
}

async function restore(service: TestService, instanceId: string, backupId: string) {
  const path = `/api/v1/instances/${instanceId}/restore`;
  const { operation } = await service.api.call('POST', path, { backupId });
  return await awaitOperation(service, operation.id);
}

async function send(service: TestService, method: string, path: string, body?: Buffer) {
  const headers = {
    Authorization: `Bearer ${accountKey}`,
    ...(body && { 'Content-Type': 'application/octet-stream' }),
  };
  const init = { method, headers, ...(body && { body: new Uint8Array(body) }) };
  return await fetch(service.url + path, init);
}

async function open<T>(
  { host, port, key }: TestInstance,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis({ host, port, password: key, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** What checks of a service left behind, running or not. */
async function leftChecks(service: TestService): Promise<number> {
  const orm = await openServiceDatabase(service);
  const { value } = await orm.em.fork().findOneOrFail(SettingEntity, { name: 'installation' });
  await orm.close();
  const docker = connectDocker(loadConfig({}).dockerHost);
  const label = ['swiftcache.purpose=backup-check', `swiftcache.installation=${value}`];
  return (await docker.listContainers({ all: true, filters: { label } })).length;
}

/** All files of a folder, by their paths. */
function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
}

test.serial(
  'a backup under a writer is restored into the same and into a new instance',
  async (t) => {
    const service = await startTestService(t);
    const origin = await createRunningInstance(service, { persistence: true });
    await open(origin, (redis) => redis.set('marked', 'SECRET-IN-CLEAR'));
    const writer = await startWriter(origin);
    while ((await writer.redis.dbsize()) < 500) await sleep(20);
    const before = await writer.redis.dbsize();
    const backup = await takeBackup(service, origin.id);
    const outcome = await writer.stop();

    t.is(backup.status, 'AVAILABLE', JSON.stringify(backup.error));
    t.true(outcome.held, 'no connection drops');
    t.deepEqual(outcome.errors, []);
    t.true(backup.keyCount >= before && backup.keyCount <= outcome.written + 1);
    t.regex(backup.redisVersion, /^\d+\./);
    const files = filesOf(join(service.dataDir, 'backups'));
    t.is(files.length, 1);
    for (const file of files) {
      t.is(statSync(file).mode & 0o777, 0o600);
      t.false(readFileSync(file, 'latin1').includes('SECRET-IN-CLEAR'));
    }

    await open(origin, (redis) => redis.flushdb());
    await open(origin, (redis) => redis.set('later', '1'));
    const operation = await restore(service, origin.id, backup.id);
    t.is(operation.status, 'SUCCEEDED', JSON.stringify(operation.error));
    t.true(operation.steps.some((step: { name: string }) => step.name === 'restore'));
    await open(origin, async (redis) => {
      t.is(
        await redis.dbsize(),
        backup.keyCount,
        'the data are those of the backup, and only those',
      );
      t.is(await countWritten(redis, backup.keyCount - 1), backup.keyCount - 1);
      await redis.set('after', 'kept');
    });

    // A later start finds the restored data and what was written since.
    const { operation: restart } = await service.api.call(
      'POST',
      `/api/v1/instances/${origin.id}/restart`,
    );
    t.is((await awaitOperation(service, restart.id)).status, 'SUCCEEDED');
    await open(origin, async (redis) => {
      t.is(await redis.dbsize(), backup.keyCount + 1);
      t.is(await redis.get('after'), 'kept');
    });

    const copy = await createRunningInstance(service, { name: 'copy', fromBackup: backup.id });
    await open(copy, async (redis) => t.is(await redis.dbsize(), backup.keyCount));

    // Wherever a restore breaks off, the next start of the service ends it.
    await open(copy, (redis) => redis.set('later', '1'));
    const path = `/api/v1/instances/${copy.id}/restore`;
    const broken = await service.api.call('POST', path, { backupId: backup.id });
    await pollUntil(
      async () => {
        const { operation } = await service.api.call(
          'GET',
          `/api/v1/operations/${broken.operation.id}`,
        );
        return operation.steps.find((step: { name: string }) => step.name === 'restore');
      },
      { timeoutMs: settleMs, intervalMs: 20 },
    );
    await service.end('SIGKILL');
    await service.start();
    const ended = await awaitOperation(service, broken.operation.id);
    t.is(ended.status, 'SUCCEEDED', JSON.stringify(ended.error));
    const { instance } = await service.api.call('GET', `/api/v1/instances/${copy.id}`);
    await open({ ...copy, port: instance.port }, async (redis) => {
      t.is(await redis.dbsize(), backup.keyCount);
    });
    t.is(await leftChecks(service), 0);

    // What is deleted by mistake comes back from its backup.
    const gone = await service.api.call('DELETE', `/api/v1/instances/${origin.id}`);
    await awaitOperation(service, gone.operation.id);
    const again = await createRunningInstance(service, { name: 'again', fromBackup: backup.id });
    await open(again, async (redis) => t.is(await redis.get('marked'), 'SECRET-IN-CLEAR'));
  },
);

/** A service whose backups lie in a bucket. */
async function startWithBucket(t: ExecutionContext, { endpoint, bucket, ...keys }: S3Server) {
  const query = new URLSearchParams({ endpoint, region: 'us-east-1', forcePathStyle: 'true' });
  return await startTestService(t, {
    SWIFTCACHE_BACKUP_URL: `s3://${bucket}/backups?${query}`,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  });
}

/** The bucket, past the service. */
function openBucket({ endpoint, bucket: Bucket, ...credentials }: S3Server) {
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  const list = async (): Promise<string[]> => {
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket }));
    return (Contents ?? []).map(({ Key }) => Key ?? '');
  };
  return {
    list,
    /** Changes one byte of an object. */
    async spoil(part: string): Promise<void> {
      const Key = (await list()).find((key) => key.includes(part));
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20);
      await client.send(new PutObjectCommand({ Bucket, Key, Body: bytes }));
    },
  };
}

test.serial('a file that went out comes in again, and a spoilt one changes nothing', async (t) => {
  const server = await startS3Server(t);
  const bucket = openBucket(server);
  const service = await startWithBucket(t, server);
  const instance = await createRunningInstance(service);
  const path = `/api/v1/instances/${instance.id}`;
  await open(instance, (redis) => redis.mset({ a: '1', b: '2' }));
  const taken = await takeBackup(service, instance.id);
  t.like(taken, { status: 'AVAILABLE', keyCount: 2 }, JSON.stringify(taken.error));

  const download = await send(service, 'GET', `/api/v1/backups/${taken.id}/download`);
  const rdb = Buffer.from(await download.arrayBuffer());
  t.is(createHash('sha256').update(rdb).digest('hex'), taken.sha256);
  const upload = async (body: Buffer) => {
    const answer = await send(service, 'POST', `${path}/backups/import`, body);
    const { backup } = (await answer.json()) as { backup: { id: string } };
    return await awaitBackup(service, backup.id);
  };
  const broken = await upload(Buffer.concat([rdb.subarray(0, -12), Buffer.alloc(12)]));
  t.is(broken.status, 'FAILED', 'Redis loads it before anybody trusts it');
  t.is(broken.error.code, 'backup_invalid');
  const brought = await upload(rdb);
  t.like(brought, { status: 'AVAILABLE', kind: 'import', keyCount: 2, sha256: taken.sha256 });

  await open(instance, (redis) => redis.flushdb());
  t.is((await restore(service, instance.id, brought.id)).status, 'SUCCEEDED');
  await open(instance, async (redis) => {
    t.deepEqual(await redis.mget('a', 'b'), ['1', '2']);
    await redis.set('c', '3');
  });

  await bucket.spoil(taken.id);
  const refused = await restore(service, instance.id, taken.id);
  t.is(refused.status, 'FAILED');
  t.is(refused.error.code, 'backup_invalid');
  t.is((await service.api.call('GET', path)).instance.status, 'RUNNING');
  const { operation } = await service.api.call('PATCH', path, { maxMemory: 48 * 1024 * 1024 });
  t.is((await awaitOperation(service, operation.id)).status, 'SUCCEEDED');
  await open(instance, async (redis) => t.is(await redis.get('c'), '3', 'it goes on as it was'));

  await service.api.call('PATCH', path, { backups: { schedule: '0 3 * * *', keepCount: 1 } });
  const orm = await openServiceDatabase(service);
  const missed = { backupNextAt: new Date(0) };
  await orm.em.fork().nativeUpdate(InstanceEntity, { id: instance.id }, missed);
  await orm.close();
  const scheduled = await pollUntil(
    async () => {
      const { backups } = await service.api.call('GET', `${path}/backups`);
      return backups.find((backup: { kind: string }) => backup.kind === 'scheduled');
    },
    { timeoutMs: settleMs, intervalMs: 100 },
  );
  t.is((await awaitBackup(service, scheduled.id)).keyCount, 3);
  const { backups } = (await service.api.call('GET', path)).instance;
  t.true(new Date(backups.nextAt) > new Date());

  const all = (await service.api.call('GET', `${path}/backups`)).backups;
  t.is(all.length, 4, 'what was missed is taken once');
  for (const { id } of all) await send(service, 'DELETE', `/api/v1/backups/${id}`);
  await pollUntil(async () => ((await bucket.list()).length === 0 ? true : undefined), {
    timeoutMs: settleMs,
    intervalMs: 100,
  });
  t.is(await leftChecks(service), 0);
});
