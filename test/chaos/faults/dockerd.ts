/** The Docker daemon itself is restarted, killed or frozen, with work in hand. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pollUntil } from '../../../src/lib/retry.ts';
import type { Bench, Fault } from '../bench.ts';
import { type PrivateDockerd, startPrivateDockerd } from '../private-dockerd.ts';
import type { World } from '../world.ts';

/** Docker starts all containers anew first. */
const withinMs = 120_000;
const frozenMs = { short: 20_000, full: 60_000 };

const dockerdFault = (
  name: string,
  what: string,
  tries: Fault['tries'],
  breakIt: (dockerd: PrivateDockerd, bench: Bench) => Promise<void>,
): Fault => ({
  name,
  what,
  tries,
  async run(bench) {
    const dockerd = await startPrivateDockerd();
    bench.owner.teardown(() => dockerd.remove());
    const world = await bench.fresh({ settings: { DOCKER_HOST: dockerd.address } });
    for (let count = 1; count <= bench.tries; count += 1) {
      await bench.attempt(`try ${count}`, async (broken) => {
        const kept = await world.create({ persistence: true });
        const old = await world.create();
        await world.command(kept, 'SET', 'kept', 'yes');
        const created = [await world.request(), await world.request()];
        const deleted = await world.change('DELETE', `/api/v1/instances/${old.id}`);
        await breakIt(dockerd, bench);
        broken();
        await settle(world, [...created.map(({ operationId }) => operationId), deleted]);
        const found = async (): Promise<true | undefined> =>
          (await world.command(kept, 'GET', 'kept')) === 'yes' || undefined;
        await pollUntil(found, { timeoutMs: withinMs, intervalMs: 100 });
        await Promise.all([kept, ...created].map(({ id }) => world.remove(id)));
      });
      await bench.audit(world);
    }
  },
});

/** All end well, and none is given up: that Docker was away costs no tries. */
async function settle(world: World, operationIds: readonly string[]): Promise<void> {
  for (const id of operationIds) {
    const { status, kind, error } = await world.awaitEnd(id, withinMs);
    if (status !== 'SUCCEEDED') throw new Error(`${kind}: ${status} ${error?.code}`);
  }
}

export const dockerdRestarted = dockerdFault(
  'dockerd restarted',
  'creates and a delete in hand: all end, what ran runs again with its data',
  { short: 1, full: 3 },
  async (dockerd) => {
    await dockerd.end('SIGTERM');
    await dockerd.start();
  },
);

export const dockerdKilled = dockerdFault(
  'dockerd killed',
  'the same by kill -9 and three seconds without it',
  { short: 0, full: 3 },
  async (dockerd) => {
    await dockerd.end('SIGKILL');
    await sleep(3_000);
    await dockerd.start();
  },
);

export const dockerdFrozen = dockerdFault(
  'dockerd frozen',
  'SIGSTOP for a minute (20 s in the short form): connections stay open and nothing answers',
  { short: 0, full: 3 },
  async (dockerd, { isShort }) => {
    dockerd.freeze();
    await sleep(frozenMs[isShort ? 'short' : 'full']);
    dockerd.thaw();
  },
);
