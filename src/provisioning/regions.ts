/**
 * Region stacks: what the instances of a region share, brought up once and remembered.
 *
 * The first instance of a region needs its network; the reconciler asks for it at start, so that nobody
 * waits for it later. After a run that broke off it is asked for again: somebody may have removed the network.
 * Where a look finds all in place, that costs no run. Of several servers one runs a region's stack at a time;
 * those that waited find it done.
 *
 * Guarantee: however many ask again, a region has at most one run under way here and one that waits: what
 * gave up waiting (Docker hung) leaves no queue behind for those that come after.
 */
import { type DutyServices, doInTurn } from '../duties/duties.ts';
import type { Region } from '../instances/regions.ts';
import { SettingEntity } from '../store/entities/setting.ts';
import type { StackValues } from './messages.ts';
import type { RegionLook } from './region-look.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface RegionStacks {
  /** The name of the region's network, which is there once this resolves. `again` believes no memory of it. */
  ensure(region: Region, again: boolean): Promise<string>;
}

/** The network's name: the installation in it keeps two services on one host apart. */
export function networkName(installationId: string, region: string): string {
  return `swiftcache-${region}-${installationId.replace(/^swc_/, '')}`;
}

interface RegionServices extends DutyServices {
  readonly isInPlace: RegionLook;
}

export function createRegionStacks(
  services: RegionServices,
  pool: WorkerPool,
  installationId: string,
): RegionStacks {
  const running = new Map<string, Promise<string>>();
  const waiting = new Map<string, Promise<string>>();
  return {
    ensure(region, again) {
      const known = running.get(region.region);
      if (known && !again) return known;
      // A run that has not begun will see whatever this one was to see.
      const next = waiting.get(region.region);
      if (next) return next;
      const name = networkName(installationId, region.region);
      const values = regionValues(region, installationId, name);
      const onBegin = (): void => {
        if (again) waiting.delete(region.region);
      };
      const run = bringUp(services, pool, region, values, { again, onBegin });
      const result = run.then(() => name);
      running.set(region.region, result);
      if (again) waiting.set(region.region, result);
      result.catch(() => {
        if (running.get(region.region) === result) running.delete(region.region);
        if (waiting.get(region.region) === result) waiting.delete(region.region);
      });
      return result;
    },
  };
}

async function bringUp(
  services: RegionServices,
  pool: WorkerPool,
  place: Region,
  values: StackValues,
  { again, onBegin }: { again: boolean; onBegin: () => void },
): Promise<void> {
  const { region } = place;
  const name = `region/${region}`;
  const wanted = JSON.stringify(values);
  const isApplied = async (): Promise<boolean> => {
    const applied = await services.orm.em.fork().findOne(SettingEntity, { name });
    return applied?.value === wanted;
  };
  const isThere = async (): Promise<boolean> =>
    (await isApplied()) &&
    (!again || (await services.isInPlace(place, String(values['swiftcache:network']))));
  if (await isThere()) {
    onBegin();
    return;
  }
  await doInTurn(services, name, async () => {
    onBegin();
    if (await isThere()) return;
    const job = { kind: 'apply', stack: region, values, fresh: false } as const;
    await pool.run({ ...job, recover: again, hasData: false }, () => {});
    await services.orm.em.fork().upsert(SettingEntity, { name, value: wanted });
  });
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
