/**
 * Region stacks: what the instances of a region share, brought up once and remembered.
 *
 * The first instance of a region needs its network; the reconciler asks for it at start, so that nobody
 * waits for it later. After a failed run it is asked for again: somebody may have removed the network.
 */
import type { Region } from '../instances/regions.ts';
import type { Orm } from '../store/database.ts';
import { SettingEntity } from '../store/entities/setting.ts';
import type { StackValues } from './messages.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface RegionStacks {
  /** The name of the region's network, which is there once this resolves. `again` runs the stack anew. */
  ensure(region: Region, again: boolean): Promise<string>;
}

/** The network's name: the installation in it keeps two services on one host apart. */
export function networkName(installationId: string, region: string): string {
  return `swiftcache-${region}-${installationId.replace(/^swc_/, '')}`;
}

export function createRegionStacks(
  orm: Orm,
  pool: WorkerPool,
  installationId: string,
): RegionStacks {
  const running = new Map<string, Promise<string>>();
  return {
    ensure(region, again) {
      const known = running.get(region.region);
      if (known && !again) return known;
      const name = networkName(installationId, region.region);
      const run = bringUp(orm, pool, region, regionValues(region, installationId, name), again);
      const result = run.then(() => name);
      running.set(region.region, result);
      result.catch(() => running.delete(region.region));
      return result;
    },
  };
}

async function bringUp(
  orm: Orm,
  pool: WorkerPool,
  { region }: Region,
  values: StackValues,
  again: boolean,
): Promise<void> {
  const em = orm.em.fork();
  const name = `region/${region}`;
  const wanted = JSON.stringify(values);
  const applied = await em.findOne(SettingEntity, { name });
  if (applied?.value === wanted && !again) return;
  const job = { kind: 'apply', stack: region, values, fresh: false } as const;
  await pool.run({ ...job, recover: again, hasData: false }, () => {});
  if (applied) applied.value = wanted;
  else em.create(SettingEntity, { name, value: wanted });
  await em.flush();
}

function regionValues(
  { region, dockerHost }: Region,
  installationId: string,
  network: string,
): StackValues {
  return {
    'docker:host': dockerHost,
    'swiftcache:kind': 'region',
    'swiftcache:installationId': installationId,
    'swiftcache:region': region,
    'swiftcache:network': network,
  };
}
