/** The door before a Redis as an instance has it: `default` off, keys as its users. */
import type { EdgeLimits, EntranceSettings } from '../../../src/edge/edge.ts';
import { sha256Hex } from '../../../src/lib/crypto.ts';
import type { KeyPermission } from '../../../src/store/entities/data-key.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addInstance, addKey, type Door, openDoor } from './door.ts';

export interface DoorKey {
  readonly keyId: string;
  readonly secret: string;
}

export interface RealDoor extends Door, DoorKey {
  readonly instanceId: string;
}

interface Teardown {
  teardown(action: () => unknown): void;
}

const permissions: KeyPermission[] = ['read', 'write'];
/** One address makes all the failed sign-ins of a test: they are not what it is about. */
const manyFailures = { failuresBeforeSlow: 1e9, failuresMax: 1e9 } as Partial<EdgeLimits>;

/** A Redis whose `default` user is off, so that a client is nobody until it signs in. */
export function startInstanceRedis(t?: Teardown): Promise<RedisContainer> {
  return startRedisContainer(t, { platformPassword: 'the password of the platform' });
}

/** A door with one running instance in this Redis, and a key of it in a plan that no test exhausts. */
export async function openRealDoor(
  t: Teardown,
  redis: RedisContainer,
  entrance: EntranceSettings = {},
): Promise<RealDoor> {
  const door = await openDoor(t, manyFailures, entrance);
  await door.orm.em.fork().nativeUpdate(OrganizationEntity, {}, { plan: 'dedicated' });
  const instanceId = await addInstance(door.orm, { port: redis.port });
  const key = await addKey(door.orm, [instanceId]);
  await signUp(redis, key);
  return { ...door, ...key, instanceId };
}

/** Makes the key's ACL user, as the provisioner does. */
export async function signUp(
  redis: RedisContainer,
  { keyId, secret }: DoorKey,
  allowed: readonly KeyPermission[] = permissions,
): Promise<void> {
  await redis.setUser({ name: keyId, passwordHash: sha256Hex(secret), permissions: allowed });
}
