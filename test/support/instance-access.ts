/** What an instance's Redis and the door say about keys, past the API. */
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { loadConfig } from '../../src/config.ts';
import { prepareDataDirectory } from '../../src/data-directory.ts';
import { createSealer } from '../../src/lib/crypto.ts';
import { withInstanceRedis } from '../../src/provisioning/instance-redis.ts';
import { type Orm, openDatabase } from '../../src/store/database.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import type { TestService } from './service.ts';

/** The database of a running service, beside it. The caller closes it. */
export async function openServiceDatabase({ dataDir }: TestService): Promise<Orm> {
  const databaseFile = join(dataDir, 'swiftcache.db');
  return await openDatabase({ databaseUrl: undefined, databaseFile });
}

/** Runs `work` at an instance with all rights, as the platform. */
export async function asPlatform<T>(
  { environment }: TestService,
  orm: Orm,
  instanceId: string,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const { masterKey } = prepareDataDirectory(loadConfig(environment));
  const instance = await orm.em.fork().findOneOrFail(InstanceEntity, { id: instanceId });
  return await withInstanceRedis(createSealer(masterKey), instance, work);
}

interface SignIn {
  readonly port: number;
  readonly secret: string;
  /** An instance's id, where the key opens several. */
  readonly user?: string;
}

/** A connection through the door, or the words of its refusal. Never tries again. */
export async function signIn({ port, secret, user }: SignIn): Promise<Redis | string> {
  const redis = new Redis({
    port,
    password: secret,
    ...(user !== undefined && { username: user }),
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  });
  let reason: string | undefined;
  redis.on('error', (error: Error) => {
    reason ??= error.message;
  });
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    redis.disconnect();
    return reason ?? (error as Error).message;
  }
}

/** The door's word on a key: `OK`, or the first word of the refusal. */
export async function tryDoor(attempt: SignIn): Promise<string> {
  const outcome = await signIn(attempt);
  if (typeof outcome === 'string') return outcome.split(' ')[0] ?? '';
  outcome.disconnect();
  return 'OK';
}
