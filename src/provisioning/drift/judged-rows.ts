/** The rows that the watch judges: those that nobody works on, and that are to be as recorded. */
import { isGivenUp, stayingStatuses } from '../../instances/states.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Orm } from '../../store/database.ts';
import { type Instance, InstanceEntity } from '../../store/entities/instance.ts';

/** All that a look asks of a row: the others of a thousand rows would cost more than the look. */
const judgedFields = [
  'id',
  'status',
  'power',
  'generation',
  'appliedGeneration',
  'failedGeneration',
  'leaseEpoch',
  'updatedAt',
  'maxMemoryBytes',
  'evictionPolicy',
  'persistence',
  'appliedPersistence',
  'driftPolicy',
  'drift',
  'accessRevision',
  'nodeHost',
  'nodePort',
  'passwordSealed',
] as const;

export type JudgedRow = Pick<Instance, (typeof judgedFields)[number]>;

/** Lists the settled instances of these regions. */
export async function listSettled(
  { orm, clock }: { orm: Orm; clock: Clock },
  regions: readonly string[],
): Promise<JudgedRow[]> {
  const where = {
    desired: 'present' as const,
    status: { $in: [...stayingStatuses] },
    region: { $in: [...regions] },
    nodeHost: { $ne: null },
    leaseExpiresAtMs: { $lte: clock.now().getTime() },
  };
  const options = { fields: judgedFields, disableIdentityMap: true } as const;
  const rows: JudgedRow[] = await orm.em.fork().find(InstanceEntity, where, options);
  return rows.filter(isSettled);
}

/** Changes with every wish and every run. */
export function versionOf({
  generation,
  leaseEpoch,
}: Pick<Instance, 'generation' | 'leaseEpoch'>): string {
  return `${generation}/${leaseEpoch}`;
}

/** What was given up leaves a row to be judged again: what was in its way may be gone. */
function isSettled(row: JudgedRow): boolean {
  return row.appliedGeneration === row.generation || isGivenUp(row);
}
