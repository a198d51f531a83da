/** Connections of the platform itself to an instance, as its ACL user. */
import { Redis } from 'ioredis';
import { platformUser } from '../../infra/platform-user.ts';
import type { Sealer } from '../lib/crypto.ts';
import type { Instance } from '../store/entities/instance.ts';

/** Where in the database the sealed password belongs; part of what it is sealed with. */
export function passwordPlace(instanceId: string): string {
  return `instances/${instanceId}/password`;
}

/**
 * Runs `work` with a connection to an instance and closes it.
 * @throws what the connection or `work` throws; never with the password in it.
 */
export async function withInstanceRedis<T>(
  sealer: Sealer,
  instance: Pick<Instance, 'id' | 'nodeHost' | 'nodePort' | 'passwordSealed'>,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const { id, nodeHost, nodePort, passwordSealed } = instance;
  if (!nodeHost || !nodePort || !passwordSealed) throw new Error(`${id} was never provisioned`);
  const redis = new Redis({
    host: nodeHost,
    port: nodePort,
    username: platformUser,
    password: sealer.open(passwordSealed, passwordPlace(id)),
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: 3_000,
    commandTimeout: 5_000,
  });
  // Failures reach the caller through its promises; an unheard event would end the process.
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
