/** Creates and deletes, over and over: what one leaves behind, a hundred make visible. */
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { listProcesses, withDescendants } from '../../support/processes.ts';
import type { Fault } from '../bench.ts';
import type { World } from '../world.ts';

/** Caches fill and code is compiled during the first ones. */
const warmUpShare = 0.3;
const growthKibPerOperationMax = 102.4;

/** History is meant to grow: what was done, and what there was. */
const historyTables = new Set([
  'instances',
  'operations',
  'audit_entries',
  'data_keys',
  'metric_points',
  'mikro_orm_migrations',
]);

interface Measure {
  readonly memoryKib: number;
  readonly descriptors: number;
  readonly processes: number;
  readonly temporary: number;
  readonly files: number;
  readonly rows: number;
}

export const cycles: Fault = {
  name: 'cycles',
  what: 'create and delete, again and again: nothing grows but history',
  tries: { short: 2, full: 100 },
  async run(bench) {
    // One worker, so that every job has the same way; it is never replaced in the short form.
    const world = await bench.fresh({ settings: { SWIFTCACHE_LOG_LEVEL: 'info' } });
    const measures: Measure[] = [];
    await cycle(world);
    for (let count = 0; count < bench.tries; count += 1) {
      await bench.attempt(`cycle ${count + 1}`, () => cycle(world));
      measures.push(await measure(world));
    }
    bench.say(`  first ${JSON.stringify(measures[0])}`);
    bench.say(`  last  ${JSON.stringify(measures.at(-1))}`);
    await bench.attempt('nothing has grown', async () => judge(measures, bench.say));
    await bench.audit(world);
  },
};

async function cycle(world: World): Promise<void> {
  const { id } = await world.create();
  await world.remove(id);
}

function judge(measures: readonly Measure[], say: (text: string) => void): void {
  const warm = measures.slice(Math.floor(measures.length * warmUpShare));
  const [first] = warm;
  const last = warm.at(-1);
  if (!first || !last) return;
  // A cycle is two operations.
  const slopeKib = slopeOf(warm.map(({ memoryKib }) => memoryKib)) / 2;
  say(`  memory grows by ${slopeKib.toFixed(1)} KiB an operation`);
  const wrong = (['descriptors', 'processes', 'temporary', 'files', 'rows'] as const)
    .filter((what) => last[what] > first[what] + allowance[what])
    .map((what) => `${what}: ${first[what]} to ${last[what]}`);
  // A handful of cycles says nothing about a slope: the collector has not been round.
  if (warm.length >= 30 && slopeKib > growthKibPerOperationMax) {
    wrong.push(`memory by ${slopeKib.toFixed(1)} KiB an operation`);
  }
  if (wrong.length > 0) throw new Error(`grown: ${wrong.join('; ')}`);
}

/** What comes and goes by itself: a keep-alive connection, a worker that is just being replaced. */
const allowance = { descriptors: 8, processes: 3, temporary: 0, files: 2, rows: 0 };

/** The slope of the line that fits best, per step. */
function slopeOf(values: readonly number[]): number {
  const meanX = (values.length - 1) / 2;
  const meanY = values.reduce((sum, value) => sum + value, 0) / values.length;
  let above = 0;
  let below = 0;
  for (const [x, y] of values.entries()) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

async function measure(world: World): Promise<Measure> {
  const pid = world.service.pid ?? 0;
  const under = withDescendants(listProcesses(), [pid]);
  return {
    memoryKib: residentKib(pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    processes: under.size,
    temporary: countOwnTemporary(world),
    files: readdirSync(world.service.dataDir, { recursive: true }).length,
    rows: await countRows(world),
  };
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Entries of the temporary folder that a process under the service made: Pulumi's kinds of names. */
function countOwnTemporary({ service }: World): number {
  return readdirSync(tmpdir()).filter(
    (name) => /^(automation|command)-/.test(name) || name.includes(service.dataDir),
  ).length;
}

async function countRows(world: World): Promise<number> {
  return await world.withRows(async (_rows, orm) => {
    const connection = orm.em.fork().getConnection() as unknown as {
      execute(sql: string): Promise<{ name: string; count: number }[]>;
    };
    const tables = await connection.execute(
      "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'",
    );
    let rows = 0;
    for (const { name } of tables.filter((table) => !historyTables.has(table.name))) {
      const [counted] = await connection.execute(`select count(*) as count from ${name}`);
      rows += Number(counted?.count ?? 0);
    }
    return rows;
  });
}
