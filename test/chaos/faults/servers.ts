/**
 * Two servers share one PostgreSQL; one or the other is killed about every ten seconds.
 *
 * Forty instances are created and deleted meanwhile, by customers who ask the server that lives. None may
 * be worked on twice at once: an epoch of a lease has one owner, epochs only rise, and no process goes on
 * with a step of an instance after another one has begun with that instance.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, startPostgresServer } from '../../support/postgres-server.ts';
import type { Bench, Fault } from '../bench.ts';
import { planFaults, readTraces, type Trace } from '../plans.ts';
import type { World } from '../world.ts';

const customers = 4;
const lookEveryMs = 50;
/** From the turn of the customers to the other server, to the kill: what is under way is answered. */
const farewellMs = 500;
const downMs = 1_000;
/** A server that starts takes two cores' time for some seconds: killed sooner, neither would get to work. */
const upMs = 7_000;
const entry = 'test/chaos/faulty-service.ts';

const workerSteps = new Set<string>([
  'recover',
  'prepare',
  'volume',
  'container',
  'settings',
  'finish',
  'destroy',
]);

export const twoServers: Fault = {
  name: 'two servers',
  what: 'one of two servers on one PostgreSQL is killed about every ten seconds: all ends right, nothing is done twice at once',
  tries: { short: 4, full: 40 },
  async run(bench) {
    const database = await startPostgresServer();
    bench.owner.teardown(() => database.stop());
    const worlds = await startServers(bench, await database.createDatabase('chaos'));
    const leases = await watchLeases(database);
    const killer = startKiller(bench, worlds);
    const ids: string[] = [];
    const mine = Math.ceil(bench.tries / customers);
    await Promise.all(
      Array.from({ length: customers }, async (_, customer) => {
        for (
          let round = 0;
          round < mine && customer + round * customers < bench.tries;
          round += 1
        ) {
          await bench.attempt(`customer ${customer + 1}, instance ${round + 1}`, async () => {
            ids.push(await createAndDelete(killer.living));
          });
        }
      }),
    );
    const kills = await killer.stop();
    const wrong = await leases.stop();
    bench.say(`  ${kills} kills, ${leases.epochs()} claims`);
    await bench.attempt('nothing was done twice at once', async () => {
      const { dataDir } = worlds[0].service;
      wrong.push(...ids.flatMap((id) => findOverlaps(id, readTraces(dataDir, id))));
      if (wrong.length > 0) throw new Error(wrong.slice(0, 5).join('; '));
    });
    // The audit knows processes by their data directory, which is the same for both.
    await worlds[1].service.end('SIGTERM');
    await bench.audit(worlds[0]);
  },
};

async function startServers(bench: Bench, databaseUrl: string): Promise<[World, World]> {
  const first = await bench.fresh({ settings: { SWIFTCACHE_DATABASE_URL: databaseUrl }, entry });
  const { SWIFTCACHE_DATA_DIR, SWIFTCACHE_INSTANCE_PORTS } = first.service.environment;
  const settings = {
    SWIFTCACHE_DATABASE_URL: databaseUrl,
    SWIFTCACHE_DATA_DIR: SWIFTCACHE_DATA_DIR ?? '',
    SWIFTCACHE_INSTANCE_PORTS: SWIFTCACHE_INSTANCE_PORTS ?? '',
  };
  const second = await bench.fresh({ settings, entry });
  await first.remove((await createPlanned(first)).id);
  return [first, second];
}

async function createPlanned(world: World) {
  const instance = await world.request();
  planFaults(world.service.environment.SWIFTCACHE_DATA_DIR ?? '', instance.id, []);
  const { status, error } = await world.awaitEnd(instance.operationId);
  if (status !== 'SUCCEEDED') throw new Error(`create: ${status} ${error?.code}`);
  return instance;
}

/** Every wait asks the server that lives at the time. */
async function createAndDelete(living: () => World): Promise<string> {
  const instance = await living().request();
  planFaults(living().service.environment.SWIFTCACHE_DATA_DIR ?? '', instance.id, []);
  await awaitSuccess(living, instance.operationId);
  const path = `/api/v1/instances/${instance.id}`;
  await awaitSuccess(living, await living().change('DELETE', path));
  return instance.id;
}

async function awaitSuccess(living: () => World, operationId: string): Promise<void> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < 60_000) {
    const ended = await living()
      .awaitEnd(operationId, 1_000)
      .catch(() => undefined);
    if (ended?.status === 'SUCCEEDED') return;
    if (ended) throw new Error(`${ended.kind}: ${ended.status} ${ended.error?.code}`);
  }
  throw new Error(`${operationId} did not end within 60 s`);
}

interface Killer {
  readonly living: () => World;
  /** Gives how often it killed. */
  stop(): Promise<number>;
}

function startKiller(bench: Bench, worlds: readonly [World, World]): Killer {
  let living: World = worlds[0];
  let kills = 0;
  let stopping = false;
  const killing = (async () => {
    while (!stopping) {
      const victim = living;
      living = victim === worlds[0] ? worlds[1] : worlds[0];
      await sleep(farewellMs);
      victim.noteProcesses();
      await victim.service.end('SIGKILL');
      kills += 1;
      await sleep(downMs);
      await victim.service.start();
      await sleep(upMs);
    }
  })();
  killing.catch((error) => bench.say(`  the killer ended: ${String(error)}`));
  return {
    living: () => living,
    async stop() {
      stopping = true;
      await killing;
      return kills;
    },
  };
}

/** Looks at the leases all the while: one owner an epoch, and epochs that only rise. */
async function watchLeases({ postgres, port }: PostgresServer) {
  const client = postgres.getPgClient('chaos');
  await client.connect();
  const owners = new Map<string, string>();
  const latest = new Map<string, number>();
  const wrong: string[] = [];
  let stopping = false;
  const look = async (): Promise<void> => {
    const { rows } = await client.query(
      'select id, lease_owner, lease_epoch from instances where lease_owner is not null',
    );
    for (const { id, lease_owner: owner, lease_epoch: epoch } of rows) {
      const name = `${id}#${epoch}`;
      const known = owners.get(name);
      if (known && known !== owner) wrong.push(`epoch ${name} had two owners`);
      owners.set(name, owner);
      if (Number(epoch) < (latest.get(id) ?? 0)) wrong.push(`the epoch of ${id} fell`);
      latest.set(id, Number(epoch));
    }
  };
  const watching = (async () => {
    while (!stopping) {
      await look();
      await sleep(lookEveryMs);
    }
  })();
  watching.catch((error) => wrong.push(`the leases on port ${port} were not seen: ${error}`));
  return {
    epochs: () => owners.size,
    async stop() {
      stopping = true;
      await watching;
      await client.end();
      return wrong;
    },
  };
}

/** Steps that a process went on with after another had begun on the same instance. */
function findOverlaps(id: string, traces: readonly Trace[]): string[] {
  const wrong: string[] = [];
  for (const isWorkers of [false, true]) {
    const open = new Map<number, string>();
    const overtaken = new Set<number>();
    for (const { pid, step, when } of traces.filter((t) => workerSteps.has(t.step) === isWorkers)) {
      // A worker that lives on may be given the instance once more: that begins anew, with recovery.
      if (step === 'recover' && when === 'before') {
        overtaken.delete(pid);
        open.delete(pid);
      }
      if (overtaken.has(pid)) wrong.push(`${id}: ${pid} went on with ${step} beside another`);
      for (const other of open.keys()) if (other !== pid) overtaken.add(other);
      if (when === 'before') open.set(pid, step);
      else open.delete(pid);
    }
  }
  return wrong;
}
