/** Stands in for the reconciler where no Docker is needed: whatever is wanted has come true. */
import type { EntityManager, Orm } from '../../src/store/database.ts';
import { InstanceEntity, type InstanceStatus } from '../../src/store/entities/instance.ts';
import { OperationEntity } from '../../src/store/entities/operation.ts';

const outcomes: readonly (readonly [InstanceStatus, InstanceStatus])[] = [
  ['PROVISIONING', 'RUNNING'],
  ['RESTARTING', 'RUNNING'],
  ['STARTING', 'RUNNING'],
  ['STOPPING', 'STOPPED'],
  ['DELETING', 'DELETED'],
];

/** Ends every open operation well and brings its instance to where it was to go. */
export async function settleEverything(orm: Orm, now: Date): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  await em.transactional(async (tx) => {
    for (const [from, status] of outcomes) {
      await tx.nativeUpdate(InstanceEntity, { status: from }, { status });
    }
    const open = { status: { $in: ['QUEUED' as const, 'RUNNING' as const] } };
    const ended = { status: 'SUCCEEDED' as const, progress: 100, startedAt: now, finishedAt: now };
    await tx.nativeUpdate(OperationEntity, open, ended);
    await tx.execute('update instances set applied_generation = generation');
  });
}
