import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { containerMemoryMib } from '../../infra/sizing.ts';
import { containerOf, listContainersOf, listVolumesOf } from '../support/docker.ts';
import { runPulumi } from '../support/pulumi.ts';
import {
  accountKey,
  awaitOperation,
  createRunningInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

const mib = 1024 * 1024;

test.serial(
  'an instance is created, used every way, agreed on with Pulumi and deleted without a trace',
  async (t) => {
    const service = await startTestService(t);
    const instance = await createRunningInstance(service, {
      maxMemory: 48 * mib,
      evictionPolicy: 'volatile-ttl',
      persistence: true,
    });

    await t.notThrowsAsync(useOverHttp(service, instance));
    await useWithIoredis(t, instance);
    await useWithNodeRedis(t, instance);
    await inspectContainer(t, instance);
    t.regex(await runPulumi(service, `preview -s ${instance.id} --expect-no-changes`), /unchanged/);
    t.regex(await runPulumi(service, 'stack ls'), new RegExp(instance.id));
    await t.throwsAsync(connectWith(instance, `sc_live_${'0'.repeat(32)}`), {
      message: /WRONGPASS/,
    });
    t.deepEqual(findSecrets(service, [instance.key, accountKey]), []);

    const { operation } = await service.api.call('DELETE', `/api/v1/instances/${instance.id}`);
    const { status } = await awaitOperation(service, operation.id);
    t.is(status, 'SUCCEEDED');
    t.deepEqual(await listContainersOf(instance.id), []);
    t.deepEqual(await listVolumesOf(instance.id), []);
    t.notRegex(await runPulumi(service, 'stack ls'), new RegExp(instance.id));
    t.deepEqual(filesNaming(service.dataDir, instance.id), []);
    await t.throwsAsync(connectWith(instance, instance.key), { message: /WRONGPASS/ });
  },
);

test.serial('two services on one machine do not touch each other', async (t) => {
  const [one, two] = await Promise.all([startTestService(t), startTestService(t)]);
  const first = await createRunningInstance(one);
  const second = await createRunningInstance(two);
  const { operation } = await one.api.call('DELETE', `/api/v1/instances/${first.id}`);
  await awaitOperation(one, operation.id);

  t.is((await listContainersOf(second.id)).length, 1);
  t.notRegex(await runPulumi(one, 'stack ls'), new RegExp(second.id));
  t.regex(await runPulumi(two, `preview -s ${second.id} --expect-no-changes`), /unchanged/);
  await two.api.call('GET', `/api/v1/instances/${first.id}`, undefined, 404);
});

async function useOverHttp(service: TestService, { id, key }: TestInstance): Promise<void> {
  const data = service.api.withToken(key);
  await data.call('GET', `/redis/${id}/set/over/http`);
  const { result } = await data.call('POST', `/redis/${id}`, ['GET', 'over']);
  if (result !== 'http') throw new Error(`GET gave ${result}`);
  await service.api.withToken(accountKey).call('GET', `/redis/${id}/get/over`, undefined, 401);
}

async function useWithIoredis(
  t: ExecutionContext,
  { host, port, key }: TestInstance,
): Promise<void> {
  const redis = new Redis({ host, port, password: key, retryStrategy: (times) => times * 50 });
  t.is(await redis.get('over'), 'http');
  const memory = String(await redis.info('memory'));
  t.regex(memory, new RegExp(`^maxmemory:${48 * mib}\r?$`, 'm'));
  t.regex(memory, /^maxmemory_policy:volatile-ttl\r?$/m);
  t.regex(String(await redis.info('persistence')), /^aof_enabled:1\r?$/m);
  redis.disconnect();
}

async function useWithNodeRedis(
  t: ExecutionContext,
  { host, port, key }: TestInstance,
): Promise<void> {
  const client = createClient({ url: `redis://:${key}@${host}:${port}` });
  await client.connect();
  await client.set('key', 'value');
  t.is(await client.get('key'), 'value');
  client.destroy();
}

async function inspectContainer(t: ExecutionContext, instance: TestInstance): Promise<void> {
  const details = await (await containerOf(instance.id)).inspect();
  const { HostConfig, Config } = details;
  t.is(HostConfig.Memory, containerMemoryMib(48 * mib, true) * mib);
  t.is(HostConfig.MemorySwap, HostConfig.Memory);
  t.deepEqual(HostConfig.CapDrop, ['ALL']);
  t.true(HostConfig.ReadonlyRootfs);
  t.false(HostConfig.Privileged);
  t.is(Config.User, '999:999');
  t.notRegex(JSON.stringify(details), /s[ck]_live_/);
}

/** Rejects with Redis's own words when the key is refused. */
async function connectWith({ host, port }: TestInstance, password: string): Promise<void> {
  const client = createClient({
    url: `redis://:${password}@${host}:${port}`,
    socket: { reconnectStrategy: false },
  });
  client.on('error', () => {});
  await client.connect();
  client.destroy();
}

/** Files of the data directory, and lines of the log, that hold one of the secrets in plain. */
function findSecrets(service: TestService, secrets: string[]): string[] {
  const holders = listFiles(service.dataDir).filter((file) => {
    const text = readFileSync(file, 'latin1');
    return secrets.some((secret) => text.includes(secret));
  });
  const logged = service
    .output()
    .replace(/^export SK=.*$/m, '')
    .replace(/^Account key.*$/m, '');
  return [...holders, ...secrets.filter((secret) => logged.includes(secret))];
}

function filesNaming(folder: string, text: string): string[] {
  return listFiles(folder).filter((file) => file.includes(text));
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
