import { pollUntil } from '../../../src/lib/retry.ts';
import { createRegionStacks } from '../../../src/provisioning/regions.ts';
import type { WorkerPool } from '../../../src/provisioning/worker-pool.ts';
import type { Orm } from '../../../src/store/database.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { captureLog } from '../../support/log-lines.ts';

const region = {
  region: 'eu-central',
  regionName: 'Europe (Germany)',
  flag: '🇩🇪',
  available: true,
  dockerHost: 'unix:///nowhere/docker.sock',
};

/** Regions whose runs end when the test says so. */
function openRegions(orm: Orm, isThere: () => boolean = () => false) {
  const { logger } = captureLog();
  const runs: PromiseWithResolvers<void>[] = [];
  const pool = {
    async run() {
      const run = Promise.withResolvers<void>();
      runs.push(run);
      await run.promise;
    },
  } as unknown as WorkerPool;
  const duties = {
    orm,
    logger,
    owner: 'me',
    isGone: () => false,
    isInPlace: async () => isThere(),
  };
  const regions = createRegionStacks(duties, pool, 'swc_aaaaaaaaaaaaaaaa');
  const begun = async (count: number): Promise<void> => {
    const isBegun = async () => runs.length === count || undefined;
    await pollUntil(isBegun, { timeoutMs: 20_000, intervalMs: 5 });
  };
  return { regions, runs, begun };
}

testOnEachDatabase(
  'however many ask again while a run hangs, one run waits behind it for all',
  async (t, orm) => {
    const { regions, runs, begun } = openRegions(orm);
    const hanging = regions.ensure(region, true);
    await begun(1);
    const later = Array.from({ length: 5 }, () => regions.ensure(region, true));
    runs[0]?.reject(new Error('no sign of progress'));
    await t.throwsAsync(hanging);
    await begun(2);
    runs[1]?.resolve();
    t.is(new Set(await Promise.all(later)).size, 1);
    t.is(runs.length, 2);
  },
);

testOnEachDatabase('a run that failed is not remembered', async (t, orm) => {
  const { regions, runs, begun } = openRegions(orm);
  const failing = regions.ensure(region, true);
  await begun(1);
  runs[0]?.reject(new Error('Docker is away'));
  await t.throwsAsync(failing);
  const next = regions.ensure(region, false);
  await begun(2);
  runs[1]?.resolve();
  t.is(await next, await regions.ensure(region, false));
  t.is(runs.length, 2);
});

testOnEachDatabase(
  'a region that was run and is in place is not run again, one whose network is gone is',
  async (t, orm) => {
    let isThere = true;
    const { regions, runs, begun } = openRegions(orm, () => isThere);
    const first = regions.ensure(region, true);
    // Whatever a look finds: what was never run here may be another's.
    await begun(1);
    runs[0]?.resolve();
    await first;
    await Promise.all([regions.ensure(region, true), regions.ensure(region, true)]);
    t.is(runs.length, 1);
    isThere = false;
    const anew = regions.ensure(region, true);
    await begun(2);
    runs[1]?.resolve();
    await anew;
    t.is(runs.length, 2);
  },
);
