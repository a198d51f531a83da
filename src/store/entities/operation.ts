import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

export type OperationKind =
  | 'create'
  | 'update'
  | 'restart'
  | 'stop'
  | 'start'
  | 'delete'
  | 'retry'
  | 'repair'
  | 'upgrade'
  | 'restore';
export type OperationStatus = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'SUPERSEDED';

/** One step of an operation as its reader sees it. */
export interface OperationStep {
  name: string;
  startedAt: string;
  finishedAt: string | null;
}

/** An operation: the user's view of one change of an instance. */
export const OperationEntity = defineEntity({
  name: 'Operation',
  tableName: 'operations',
  properties: {
    id: p.string().primary(),
    organizationId: p.string(),
    instanceId: p.string(),
    kind: p.string().$type<OperationKind>(),
    /** The instance generation this operation asked for. */
    generation: p.integer(),
    status: p.string().$type<OperationStatus>(),
    /** Per cent, 0 to 100. */
    progress: p.integer(),
    steps: p.json<OperationStep[]>(),
    errorCode: p.string().nullable(),
    errorMessage: p.text().nullable(),
    createdAt: p.datetime(),
    startedAt: p.datetime().nullable(),
    finishedAt: p.datetime().nullable(),
  },
});

export type Operation = InferEntity<typeof OperationEntity>;
