/** Operations: the record of each change, as its user follows it. */
import type { Caller } from '../accounts/account-keys.ts';
import { AppError } from '../lib/errors.ts';
import { idPattern, newId } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import {
  type Operation,
  OperationEntity,
  type OperationKind,
} from '../store/entities/operation.ts';

const operationIdPattern = idPattern('op');

/** Adds a queued operation for the instance's current generation to the unit of work. */
export function queueOperation(
  em: EntityManager,
  instance: Instance,
  kind: OperationKind,
  now: Date,
): Operation {
  return em.create(OperationEntity, {
    id: newId('op'),
    organizationId: instance.organizationId,
    instanceId: instance.id,
    kind,
    generation: instance.generation,
    status: 'QUEUED',
    progress: 0,
    steps: [],
    createdAt: now,
  });
}

/** Ends every open operation of an instance that a newer wish has made pointless. */
export async function supersedeOpenOperations(
  em: EntityManager,
  instanceId: string,
  now: Date,
): Promise<void> {
  await em.nativeUpdate(
    OperationEntity,
    { instanceId, status: { $in: ['QUEUED', 'RUNNING'] } },
    { status: 'SUPERSEDED', finishedAt: now },
  );
}

/** Finds an operation of the caller's organization. @throws {AppError} `not_found`. */
export async function getOperation(orm: Orm, caller: Caller, id: string): Promise<Operation> {
  const operation = operationIdPattern.test(id)
    ? await orm.em.fork().findOne(OperationEntity, { id, organizationId: caller.organizationId })
    : null;
  if (!operation) throw new AppError('not_found', 'There is no such operation.');
  return operation;
}
