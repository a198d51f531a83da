/**
 * Looks at the Redis of running instances, each in one round trip every few seconds: its live settings, and
 * its users. Settings are kept for the comparison of the next look at Docker; users that are not as this
 * service left them are mended at once, whatever the instance's policy: what a key may do is not a matter
 * of taste.
 *
 * Guarantees: a bounded number of instances is asked at once; one that does not answer holds up no other
 * and is asked again a few seconds later.
 */
import { liveParameters } from '../../../infra/live-settings.ts';
import type { AccessSync } from '../access.ts';
import type { InstanceClients } from '../instance-redis.ts';
import { toRecord } from '../make-room.ts';
import { type JudgedRow, versionOf } from './judged-rows.ts';

type Parameters = Readonly<Record<string, string | undefined>>;

export interface RedisLooks {
  /** Asks those of these running instances whose last look is old enough. Does not wait. */
  begin(rows: readonly JudgedRow[]): void;
  /** What was last seen of an instance since its row is as it is; undefined where nothing was. */
  parametersOf(row: JudgedRow): Parameters | undefined;
  /** Forgets what is not among these. */
  keepOnly(instanceIds: ReadonlySet<string>): void;
  /** Waits for the looks under way. */
  settled(): Promise<void>;
}

interface LookServices {
  readonly clients: InstanceClients;
  readonly accessSync: AccessSync;
  /** Called where an instance's settings are not as they were, or were to be. */
  readonly onChange: () => void;
}

interface LastLook {
  readonly atMs: number;
  /** Of which row: a run in between may have changed what was seen. */
  readonly version: string;
  readonly parameters: Parameters | undefined;
}

const atOnceMax = 16;
const retryMs = 5_000;
/** So many instances are asked at every look, more at every other. */
const eagerMax = 250;
const eagerMs = 1_500;
const patientMs = 3_500;
const names = Object.keys(
  liveParameters({ maxMemoryBytes: 0, evictionPolicy: '', persistence: false }),
);

export function createRedisLooks({ clients, accessSync, onChange }: LookServices): RedisLooks {
  const last = new Map<string, LastLook>();
  const inHand = new Map<string, Promise<void>>();
  let waiting: JudgedRow[] = [];

  async function look(row: JudgedRow): Promise<void> {
    const { id } = row;
    const version = versionOf(row);
    try {
      const { parameters, users } = await readRedis(clients, row);
      const before = last.get(id)?.parameters;
      last.set(id, { atMs: performance.now(), version, parameters });
      if (!isSame(before ?? liveParameters(row), parameters)) onChange();
      if (!accessSync.isAsLeft(row, users)) await accessSync.sync(id);
    } catch {
      // Starting, stopped, busy or gone: the look at Docker tells which.
      last.set(id, { atMs: performance.now() + retryMs, version, parameters: undefined });
    }
  }

  function fill(): void {
    while (inHand.size < atOnceMax) {
      const row = waiting.shift();
      if (!row) return;
      if (inHand.has(row.id)) continue;
      const work = look(row).finally(() => {
        inHand.delete(row.id);
        fill();
      });
      inHand.set(row.id, work);
    }
  }

  return {
    begin(rows) {
      const everyMs = rows.length <= eagerMax ? eagerMs : patientMs;
      const nowMs = performance.now();
      waiting = rows.filter((row) => {
        const before = last.get(row.id);
        return !before || before.version !== versionOf(row) || nowMs - before.atMs >= everyMs;
      });
      fill();
    },
    parametersOf(row) {
      const seen = last.get(row.id);
      return seen?.version === versionOf(row) ? seen.parameters : undefined;
    },
    keepOnly(instanceIds) {
      for (const id of last.keys()) if (!instanceIds.has(id)) last.delete(id);
    },
    async settled() {
      waiting = [];
      await Promise.all(inHand.values());
    },
  };
}

async function readRedis(
  clients: InstanceClients,
  row: JudgedRow,
): Promise<{ parameters: Parameters; users: string[] }> {
  return await clients.use(row, async (redis) => {
    const pipeline = redis.pipeline().config('GET', ...(names as [string]));
    const replies = (await pipeline.call('ACL', 'LIST').exec()) ?? [];
    for (const [error] of replies) if (error) throw error;
    const [[, pairs], [, users]] = replies as [[null, string[]], [null, string[]]];
    return { parameters: toRecord(pairs), users };
  });
}

function isSame(one: Parameters, other: Parameters): boolean {
  return names.every((name) => one[name] === other[name]);
}
