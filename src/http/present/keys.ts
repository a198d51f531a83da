import type { CreatedKeyWithInstances } from '../../keys/create-key.ts';
import type { KeyWithInstances } from '../../keys/read-keys.ts';
import type { DataKey } from '../../store/entities/data-key.ts';
import type {
  createdKeySchema,
  createdKeyWithInstancesSchema,
  keySchema,
  keyWithInstancesSchema,
} from '../schemas/keys.ts';
import type { Shown } from './failure.ts';

export function presentKey(key: DataKey): Shown<typeof keySchema> {
  return {
    id: key.id,
    organizationId: key.organizationId,
    name: key.name,
    createdAt: key.createdAt.toISOString(),
    lastUsed: key.lastUsedAt?.toISOString() ?? null,
    expiresAt: key.expiresAt?.toISOString() ?? null,
    permissions: key.permissions,
    ipWhitelist: key.ipWhitelist,
    rateLimit: key.rateLimit,
  };
}

export function presentKeyWithInstances({
  key,
  instanceIds,
}: KeyWithInstances): Shown<typeof keyWithInstancesSchema> {
  return { ...presentKey(key), instanceIds: [...instanceIds] };
}

export function presentCreatedKey(key: DataKey, secret: string): Shown<typeof createdKeySchema> {
  return { ...presentKey(key), plainTextKey: secret };
}

export function presentCreatedKeyWithInstances(
  created: CreatedKeyWithInstances,
): Shown<typeof createdKeyWithInstancesSchema> {
  return { ...presentKeyWithInstances(created), plainTextKey: created.secret };
}
