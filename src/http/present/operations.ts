import type { Operation } from '../../store/entities/operation.ts';
import type { operationSchema } from '../schemas/operations.ts';
import { presentFailure, type Shown } from './failure.ts';

export function presentOperation(operation: Operation): Shown<typeof operationSchema> {
  return {
    id: operation.id,
    kind: operation.kind,
    instanceId: operation.instanceId,
    status: operation.status,
    progress: operation.progress,
    steps: operation.steps,
    error: presentFailure(operation.errorCode, operation.errorMessage),
    createdAt: operation.createdAt.toISOString(),
    startedAt: operation.startedAt?.toISOString() ?? null,
    finishedAt: operation.finishedAt?.toISOString() ?? null,
  };
}
