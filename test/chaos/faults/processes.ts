/** Whole processes end, kindly or not, while there is work in hand. */
import type { Bench, Fault } from '../bench.ts';
import type { World } from '../world.ts';

const inFlight = { short: 3, full: 6 };
/** What a stop in order may take. */
const stopWithinMs = 30_000;

async function underLoad(
  bench: Bench,
  world: World,
  end: (world: World) => Promise<void>,
): Promise<void> {
  for (let count = 1; count <= bench.tries; count += 1) {
    await bench.attempt(`try ${count}`, async (broken) => {
      const old = await world.create();
      const created = await Promise.all(
        Array.from({ length: inFlight[bench.isShort ? 'short' : 'full'] }, () => world.request()),
      );
      const deleted = await world.change('DELETE', `/api/v1/instances/${old.id}`);
      // By now some are in hand and some are waiting.
      await world.awaitInstance(old.id, ({ status }) => status === 'DELETING');
      world.noteProcesses();
      broken();
      await end(world);
      await world.service.start();
      for (const operationId of [...created.map((each) => each.operationId), deleted]) {
        const { status, error } = await world.awaitEnd(operationId);
        if (status !== 'SUCCEEDED') throw new Error(`${status} ${error?.code}`);
      }
      for (const instance of created) await world.command(instance, 'SET', 'a', 'b');
      await Promise.all(created.map(({ id }) => world.remove(id)));
    });
    await bench.audit(world);
  }
}

export const stopUnderLoad: Fault = {
  name: 'SIGTERM under load',
  what: 'a stop with six creates (three in the short form) and a delete in hand ends within 30 s; the next start goes on',
  tries: { short: 1, full: 5 },
  async run(bench) {
    const world = await bench.fresh();
    await underLoad(bench, world, async ({ service }) => {
      const startedMs = performance.now();
      const code = await service.end('SIGTERM');
      const tookMs = performance.now() - startedMs;
      bench.say(`  stopped with code ${code} after ${(tookMs / 1_000).toFixed(1)} s`);
      if (code !== 0 || tookMs > stopWithinMs)
        throw new Error(`the stop took ${tookMs} ms: ${code}`);
    });
  },
};

export const killUnderLoad: Fault = {
  name: 'SIGKILL under load',
  what: 'kill -9 of the service with six creates and a delete in hand; the next start goes on',
  tries: { short: 0, full: 5 },
  async run(bench) {
    const world = await bench.fresh();
    await underLoad(bench, world, async ({ service }) => {
      await service.end('SIGKILL');
    });
  },
};

export const allKilledUnderLoad: Fault = {
  name: 'everything killed under load',
  what: 'kill -9 of the service, its workers, CLI runs and providers at once; the next start goes on',
  tries: { short: 0, full: 5 },
  async run(bench) {
    const world = await bench.fresh();
    await underLoad(bench, world, async ({ service, noteProcesses }) => {
      for (const pid of noteProcesses()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended by itself.
        }
      }
      await service.end('SIGKILL');
    });
  },
};
