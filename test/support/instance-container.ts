/** An instance without a stack: a Redis that is started as a stack starts it, and the row that says so. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import * as pulumi from '@pulumi/pulumi';
import type { ExecutionContext } from 'ava';
import type { Redis } from 'ioredis';
import { redisStartCommand } from '../../infra/redis-command.ts';
import { createSealer, randomHex, sha256Hex } from '../../src/lib/crypto.ts';
import { newId } from '../../src/lib/ids.ts';
import { awaitReady } from '../../src/provisioning/instance-power.ts';
import { passwordPlace, withInstanceRedis } from '../../src/provisioning/instance-redis.ts';
import type { Orm } from '../../src/store/database.ts';
import type { Instance } from '../../src/store/entities/instance.ts';
import { docker } from './docker.ts';
import { pinnedImage } from './images.ts';
import { addInstance } from './rows.ts';

export const containerSealer = createSealer(Buffer.alloc(32, 3));

/** Starts one and adds its row; the container goes with the test. */
export async function startInstanceContainer(
  t: ExecutionContext,
  orm: Orm,
  changes: Partial<Instance> = {},
): Promise<Instance> {
  const id = newId('inst');
  const password = randomHex(16);
  const nodePort = await freePort();
  const network = await docker.createNetwork({ Name: `swiftcache-unit-${randomHex(6)}` });
  t.teardown(() => network.remove());
  const container = await docker.createContainer({
    name: `swiftcache-${id}`,
    Image: pinnedImage,
    User: '999:999',
    Cmd: await resolve(redisStartCommand(sha256Hex(password))),
    Labels: { 'swiftcache.instance': id },
    Volumes: { '/data': {} },
    ExposedPorts: { '6379/tcp': {} },
    HostConfig: {
      NetworkMode: network.id,
      PortBindings: { '6379/tcp': [{ HostIp: '127.0.0.1', HostPort: String(nodePort) }] },
    },
  });
  t.teardown(() => container.remove({ force: true, v: true }));
  await container.start();
  const instance = await addInstance(orm, {
    id,
    image: pinnedImage,
    status: 'RUNNING',
    nodeHost: '127.0.0.1',
    nodePort,
    passwordSealed: containerSealer.seal(password, passwordPlace(id)),
    ...changes,
  });
  await awaitReady(containerSealer, instance, () => {});
  if (instance.persistence) {
    await askInstance(instance, async (redis) => {
      await redis.config('SET', 'appendonly', 'yes');
      await redis.config('REWRITE');
    });
  }
  return instance;
}

/** Asks its Redis as the platform's user. */
export async function askInstance<T>(
  instance: Instance,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  return await withInstanceRedis(containerSealer, instance, work);
}

async function resolve(parts: pulumi.Output<string>[]): Promise<string[]> {
  return await new Promise((done) => pulumi.all(parts).apply(done));
}

/** One that stays the same when the container starts again. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
