/** How an operation's record follows the work: begun, step by step, ended once. */
import type { Clock } from '../lib/clock.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import {
  type Operation,
  OperationEntity,
  type OperationStep,
} from '../store/entities/operation.ts';

interface RecordServices {
  readonly orm: Orm;
  readonly clock: Clock;
}

const openStatuses = ['QUEUED', 'RUNNING'] as const;
/** More than all tries of a bounded operation; of an endless one, the last tries are kept. */
const stepsMax = 60;

/** Marks the open operation as begun and gives it; undefined where there is none (a self-made repair). */
export async function beginOperation(
  { orm, clock }: RecordServices,
  instance: Instance,
): Promise<Operation | undefined> {
  const em = orm.em.fork();
  const operation = await em.findOne(OperationEntity, {
    instanceId: instance.id,
    generation: instance.generation,
    status: { $in: [...openStatuses] },
  });
  if (!operation) return undefined;
  const changes = { status: 'RUNNING', startedAt: operation.startedAt ?? clock.now() } as const;
  // A newer wish may have ended it since the look: then it stays ended.
  const where = { id: operation.id, status: { $in: [...openStatuses] } };
  const begun = await em.nativeUpdate(OperationEntity, where, changes);
  return begun === 0 ? undefined : Object.assign(operation, changes);
}

/** Records a step's begin (and the end of the one before) in the operation. */
export async function recordStep(
  { orm, clock }: RecordServices,
  operation: Operation,
  name: string,
  progress: number,
): Promise<void> {
  const at = clock.now().toISOString();
  const last = operation.steps.at(-1);
  if (last && last.finishedAt === null) last.finishedAt = at;
  const step: OperationStep = { name, startedAt: at, finishedAt: null };
  operation.steps = [...operation.steps, step].slice(-stepsMax);
  operation.progress = Math.max(operation.progress, progress);
  const { steps } = operation;
  await orm.em
    .fork()
    .nativeUpdate(OperationEntity, { id: operation.id }, { steps, progress: operation.progress });
}

/** Ends the operation, and its last step with it; one that was ended already stays as it is. */
export async function endOperation(
  em: EntityManager,
  operation: Operation | undefined,
  changes: Partial<Operation> & { finishedAt: Date },
): Promise<void> {
  if (!operation) return;
  const steps = operation.steps.map((step) => ({
    ...step,
    finishedAt: step.finishedAt ?? changes.finishedAt.toISOString(),
  }));
  const where = { id: operation.id, status: { $in: [...openStatuses] } };
  await em.nativeUpdate(OperationEntity, where, { ...changes, steps });
}
