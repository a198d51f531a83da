/** Rows as the API shows them. What is not listed here never leaves the service. */
import type { z } from 'zod';
import { toMaxMemoryMb } from '../instances/plans.ts';
import { type ErrorCode, errorCatalogue } from '../lib/errors.ts';
import type { DataKey } from '../store/entities/data-key.ts';
import type { Instance } from '../store/entities/instance.ts';
import type { Operation } from '../store/entities/operation.ts';
import type { HttpServices } from './route.ts';
import type { createdKeySchema, instanceSchema, keySchema, operationSchema } from './schemas.ts';

type Shown<Schema extends z.ZodType> = z.input<Schema>;

export function presentInstance(
  { door }: Pick<HttpServices, 'door'>,
  instance: Instance,
): Shown<typeof instanceSchema> {
  const { host, port } = door();
  return {
    id: instance.id,
    organizationId: instance.organizationId,
    name: instance.name,
    status: instance.status as Shown<typeof instanceSchema>['status'],
    hostname: instance.status === 'RUNNING' ? host : null,
    host,
    port,
    maxMemory: instance.maxMemoryBytes,
    maxMemoryMb: toMaxMemoryMb(instance.maxMemoryBytes),
    region: instance.region,
    tier: instance.tier,
    evictionPolicy: instance.evictionPolicy as Shown<typeof instanceSchema>['evictionPolicy'],
    persistence: instance.persistence,
    failure: presentFailure(instance.failureCode, instance.failureMessage),
    createdAt: instance.createdAt.toISOString(),
    updatedAt: instance.updatedAt.toISOString(),
  };
}

export function presentKey(key: DataKey): Shown<typeof keySchema> {
  return {
    id: key.id,
    name: key.name,
    createdAt: key.createdAt.toISOString(),
    lastUsed: key.lastUsedAt?.toISOString() ?? null,
    permissions: key.permissions,
    ipWhitelist: key.ipWhitelist,
    rateLimit: key.rateLimit,
  };
}

export function presentCreatedKey(key: DataKey, secret: string): Shown<typeof createdKeySchema> {
  return { ...presentKey(key), plainTextKey: secret };
}

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

function presentFailure(
  code: string | null | undefined,
  message: string | null | undefined,
): { code: string; message: string; remedy: string } | null {
  if (!code) return null;
  const entry = errorCatalogue[code as ErrorCode];
  return { code, message: message ?? entry.title, remedy: entry.remedy };
}
