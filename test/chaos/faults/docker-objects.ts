/** What is done to an instance's things in Docker behind the service's back: seen, mended or said. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { pollUntil } from '../../../src/lib/retry.ts';
import { asPlatform } from '../../support/instance-access.ts';
import type { TestInstance } from '../../support/service.ts';
import { CannotBreak, type Fault } from '../bench.ts';
import type { World } from '../world.ts';
import { terminalWithinMs } from '../world.ts';

const poll = { timeoutMs: terminalWithinMs, intervalMs: 50 };
const dockerFault = (
  name: string,
  what: string,
  persistence: boolean,
  work: (world: World, instance: TestInstance, broken: () => void) => Promise<void>,
  { isLost = false, isShortToo = true } = {},
): Fault => ({
  name,
  what,
  tries: { short: isShortToo ? 1 : 0, full: 5 },
  async run(bench) {
    const world = await bench.shared();
    for (let count = 1; count <= bench.tries; count += 1) {
      const instance = await world.create({ persistence });
      await bench.attempt(`try ${count}`, (broken) => work(world, instance, broken));
      // One that lost its volume waits for its owner: it is audited once it is deleted.
      if (!isLost) await bench.audit(world, { previews: !bench.isShort && count === bench.tries });
      await world.remove(instance.id);
    }
    await bench.audit(world);
  },
});

export const containerRemoved = dockerFault(
  'container removed',
  'docker rm -f of a running persistent instance: it runs again, with its data',
  true,
  async (world, instance, broken) => {
    await keepValue(world, instance);
    await (await containerOf(world, instance.id)).remove({ force: true });
    broken();
    await awaitKept(world, instance);
  },
);

export const containerStopped = dockerFault(
  'container stopped',
  'docker stop of a running instance: it runs again',
  true,
  async (world, instance, broken) => {
    await keepValue(world, instance);
    await (await containerOf(world, instance.id)).stop({ t: 10 });
    broken();
    await awaitKept(world, instance);
  },
);

export const containerPaused = dockerFault(
  'container paused',
  'docker pause of a running instance: it runs on',
  false,
  async (world, instance, broken) => {
    await keepValue(world, instance);
    await (await containerOf(world, instance.id)).pause();
    broken();
    await awaitKept(world, instance);
  },
  { isShortToo: false },
);

export const redisKilled = dockerFault(
  'Redis killed',
  'kill -9 of the Redis process: Docker starts it again with its users, settings and data',
  true,
  async (world, instance, broken) => {
    await keepValue(world, instance);
    // Longer than AOF's second, so that what was acknowledged is on the disk.
    await pollUntil(async () => ((await isSynced(world, instance)) ? true : undefined), poll);
    await killRedis(world, instance.id);
    broken();
    await awaitKept(world, instance);
  },
);

export const outOfMemory = dockerFault(
  'Redis out of memory',
  "the kernel ends Redis because its container's memory is used up: it runs again",
  false,
  async (world, instance, broken) => {
    const container = await containerOf(world, instance.id);
    const { StartedAt } = (await container.inspect()).State;
    // A script's memory does not count for maxmemory, but it does for the container.
    const greedy =
      'local t = {} for i = 1, 40 do t[i] = string.rep(tostring(i), 10485760) end return #t';
    await world.withRows(async (_rows, orm) =>
      asPlatform(world.service, orm, instance.id, (redis) => redis.eval(greedy, 0)).catch(() => {}),
    );
    await pollUntil(async () => {
      const { State } = await container.inspect();
      return State.StartedAt !== StartedAt || State.OOMKilled || undefined;
    }, poll);
    broken();
    await keepValue(world, instance);
  },
  { isShortToo: false },
);

export const volumeRemoved = dockerFault(
  'volume removed',
  'the data volume of a persistent instance is gone: DEGRADED and said so, never an empty one in its place',
  true,
  async (world, instance, broken) => {
    await keepValue(world, instance);
    await (await containerOf(world, instance.id)).remove({ force: true });
    await world.docker.getVolume(`swiftcache-${instance.id}`).remove();
    broken();
    await world.awaitInstance(instance.id, ({ status, drift }) => {
      if (status === 'RUNNING' && drift?.length === 0) return false;
      return status === 'DEGRADED';
    });
  },
  { isLost: true },
);

export const portTaken: Fault = {
  name: 'port taken',
  what: "another program listens on a new instance's port: FAILED with the reason, and a retry gets another",
  tries: { short: 0, full: 3 },
  async run(bench) {
    const world = await bench.shared();
    for (let count = 1; count <= bench.tries; count += 1) {
      await bench.attempt(`try ${count}`, async (broken) => {
        // Two keep both workers busy, so that there is time to take the third's port.
        const others = await Promise.all([world.request(), world.request()]);
        const instance = await world.request();
        const port = await world.withRows(async (rows) =>
          rows.find(({ id }) => id === instance.id),
        );
        const squatter = createServer().listen(port?.nodePort ?? 0, '127.0.0.1');
        await once(squatter, 'listening');
        try {
          broken();
          const ended = await world.awaitEnd(instance.operationId);
          if (ended.error?.code !== 'port_in_use') throw new Error(JSON.stringify(ended.error));
          const path = `/api/v1/instances/${instance.id}`;
          const again = await world.awaitEnd(await world.change('POST', `${path}/retry`));
          if (again.status !== 'SUCCEEDED') throw new Error(JSON.stringify(again.error));
        } finally {
          squatter.close();
        }
        for (const { id, operationId } of [...others, instance]) {
          await world.awaitEnd(operationId);
          await world.remove(id);
        }
      });
      await bench.audit(world);
    }
  },
};

/**
 * Kills the process itself. A `docker kill` would count as wanted, so that Docker leaves it stopped.
 * @throws {CannotBreak} where the container's processes are not this machine's.
 */
export async function killRedis(world: World, instanceId: string): Promise<void> {
  const { State } = await (await containerOf(world, instanceId)).inspect();
  try {
    process.kill(State.Pid, 'SIGKILL');
  } catch {
    throw new CannotBreak("the processes of Docker's containers are out of reach");
  }
}

async function containerOf(world: World, instanceId: string) {
  const filters = { label: [`swiftcache.instance=${instanceId}`] };
  const [found] = await world.docker.listContainers({ all: true, filters });
  if (!found) throw new Error(`${instanceId} has no container`);
  return world.docker.getContainer(found.Id);
}

async function keepValue(world: World, instance: TestInstance): Promise<void> {
  const answer = async (): Promise<true | undefined> =>
    (await world.command(instance, 'SET', 'kept', 'yes')) === 'OK' || undefined;
  await pollUntil(answer, poll);
}

/** RUNNING, and answering with what was kept. */
async function awaitKept(world: World, instance: TestInstance): Promise<void> {
  const kept = async (): Promise<true | undefined> =>
    (await world.command(instance, 'GET', 'kept')) === 'yes' || undefined;
  await pollUntil(kept, poll);
  await world.awaitInstance(instance.id, ({ status }) => status === 'RUNNING');
}

async function isSynced(world: World, instance: TestInstance): Promise<boolean> {
  const info = String(await world.command(instance, 'INFO', 'persistence'));
  return /aof_enabled:1/.test(info) && /aof_pending_bio_fsync:0/.test(info);
}
