/** Operations: the record of each change, as its user follows it. */
import type { Caller } from '../accounts/caller.ts';
import { AppError } from '../lib/errors.ts';
import { idPattern, newId } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';
import {
  type Operation,
  OperationEntity,
  type OperationKind,
  type OperationStatus,
} from '../store/entities/operation.ts';
import { type Page, type PageRequest, pageQuery, toPage } from '../store/paging.ts';
import { findOwnInstance } from './ownership.ts';

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
    ? await orm.em
        .fork()
        .findOne(OperationEntity, { id, organizationId: { $in: [...caller.roles.keys()] } })
    : null;
  if (!operation) throw new AppError('not_found', 'There is no such operation.');
  return operation;
}

/** Whether an operation has ended, and will not change any more. */
export function isSettled({ status }: Pick<Operation, 'status'>): boolean {
  return status !== 'QUEUED' && status !== 'RUNNING';
}

/**
 * Lists a live instance's operations, newest first.
 * @throws {AppError} `not_found`, and `invalid_request` for a cursor that no list gave.
 */
export async function listOperations(
  orm: Orm,
  caller: Caller,
  instanceId: string,
  { statuses, page }: { statuses: readonly OperationStatus[] | undefined; page: PageRequest },
): Promise<Page<Operation>> {
  const em = orm.em.fork() as EntityManager;
  const { id } = await findOwnInstance(em, caller, instanceId, 'viewer');
  const { where, options } = pageQuery<Operation>(page, 'newest first');
  const wanted = { instanceId: id, ...(statuses && { status: { $in: [...statuses] } }) };
  const found = await em.find(OperationEntity, { $and: [wanted, where] }, options);
  return toPage(found, page);
}
