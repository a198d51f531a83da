/** What provisioning gives to the use cases: the ports of src/instances/services.ts, on the real things. */
import { totalmem } from 'node:os';
import { containerMemoryMib } from '../../infra/sizing.ts';
import type { Config } from '../config.ts';
import { requireRegion } from '../instances/regions.ts';
import type {
  HostCapacity,
  InstanceRuntime,
  PlannedChange,
  Previewer,
} from '../instances/services.ts';
import type { Sealer } from '../lib/crypto.ts';
import { AppError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { createTurns } from '../lib/turns.ts';
import { connectDocker } from './docker.ts';
import { explainFailure } from './failures.ts';
import { withInstanceRedis } from './instance-redis.ts';
import type { ReconcilerServices } from './instance-steps.ts';
import { stackValues } from './stack-values.ts';
import { RunError } from './worker-pool.ts';

const bytesPerMib = 1024 * 1024;
/** What the machine itself, Docker and this service need. */
const hostReserve = 0.1;
const capacityAgeMaxMs = 60_000;

/** Asks each region's Docker host for its memory, at most once a minute. */
export function createHostCapacity(config: Config, logger: Logger): HostCapacity {
  const known = new Map<string, { mib: number; untilMs: number }>();
  const measure = async (region: string): Promise<number> => {
    const { dockerHost } = requireRegion(config, region);
    try {
      const info = await connectDocker(dockerHost).info();
      return Number(info.MemTotal);
    } catch (error) {
      // The engine is on this machine (README, limits of today), so the machine's memory is its own.
      logger.warn({ err: error, region }, 'Docker did not tell its memory; the machine did');
      return totalmem();
    }
  };
  return {
    containerMib: containerMemoryMib,
    async regionMib(region) {
      if (config.hostMemoryMib !== undefined) return config.hostMemoryMib;
      const last = known.get(region);
      if (last && last.untilMs > performance.now()) return last.mib;
      const mib = Math.floor(((await measure(region)) / bytesPerMib) * (1 - hostReserve));
      known.set(region, { mib, untilMs: performance.now() + capacityAgeMaxMs });
      return mib;
    },
  };
}

/** Asks an instance's Redis as the platform's user. */
export function createInstanceRuntime(sealer: Sealer): InstanceRuntime {
  return {
    async readUsedMemory(instance) {
      try {
        return await withInstanceRedis(sealer, instance, async (redis) => {
          return readDataMemory(await redis.info('memory'));
        });
      } catch (error) {
        throw new AppError('instance_unreachable', undefined, { cause: error });
      }
    },
  };
}

/** What maxmemory is compared with: everything but buffers that eviction does not count. */
function readDataMemory(info: string): number {
  const read = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
  return read('used_memory') - read('mem_not_counted_for_evict');
}

/** How many previews may be under way, the running one included: creates come first. */
const previewsMax = 8;

/**
 * Previews on the workers, under the same time-out as runs: one at a time, so that with two workers one is
 * always left for changes.
 */
export function createPreviewer(
  services: Pick<ReconcilerServices, 'config' | 'pool' | 'regions' | 'installationId'>,
): Previewer {
  const inTurn = createTurns({
    runningMax: 1,
    waitingMax: previewsMax - 1,
    refuse() {
      const headers = { 'Retry-After': '5' };
      return new AppError('rate_limited', 'Too many previews are asked for at once.', { headers });
    },
  });
  return {
    async preview(wanted) {
      const region = requireRegion(services.config, wanted.region);
      const network = await services.regions.ensure(region, false);
      const values = stackValues(services, wanted, region, network);
      const job = {
        kind: 'preview',
        stack: wanted.id,
        values,
        recover: false,
        hasData: true,
      } as const;
      try {
        const { outputs } = await inTurn(() => services.pool.run(job, () => {}));
        return outputs.changes as PlannedChange[];
      } catch (error) {
        if (!(error instanceof RunError)) throw error;
        const { code, message } = explainFailure(error.failure);
        const detail = error.failure.diagnostics.join('\n');
        throw new AppError(code, message, { detail, cause: error });
      }
    },
  };
}
