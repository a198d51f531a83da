/**
 * Connections of the platform itself to an instance, as its ACL user: one for a single piece of work, or
 * one that is kept open for those who come often.
 */
import { Redis, type RedisOptions, ReplyError } from 'ioredis';
import { platformUser } from '../../infra/platform-user.ts';
import type { Sealer } from '../lib/crypto.ts';
import type { Instance } from '../store/entities/instance.ts';

const defaultTimeouts = { connectTimeout: 3_000, commandTimeout: 5_000 };
const idleTimeoutMs = 60_000;

/** Where an instance is, and what opens it. */
type InstanceAddress = Pick<Instance, 'id' | 'nodeHost' | 'nodePort' | 'passwordSealed'>;

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
  instance: InstanceAddress,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = createPlatformRedis(sealer, instance);
  try {
    await signIn(redis);
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** What kept connections to an instance moved since it was last asked, and how many are open. */
export interface KeptTraffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connections: number;
}

/** Connections that stay open for a while, at most one an instance. */
export interface InstanceClients {
  /**
   * Runs `work` on the connection to an instance, which is opened where there is none. Several may use it
   * at once: `work` must not change its state. It closes after a minute without use, and after any error
   * that is not Redis's own answer.
   * @throws what the connection or `work` throws; never with the password in it.
   */
  use<T>(instance: InstanceAddress, work: (redis: Redis) => Promise<T>): Promise<T>;
  /** What they moved, in Redis's words: `bytesIn` is what it received. Told once, for the metrics. */
  takeTraffic(instanceId: string): KeptTraffic;
  /** Closes the connection to an instance at once. */
  drop(instanceId: string): void;
  /** Closes all connections; whoever comes later gets one that closes after its work. */
  close(): void;
}

interface KeptConnection {
  readonly redis: Redis;
  /** Another address or password needs another connection. */
  readonly address: string;
  readonly ready: Promise<void>;
  readonly idle: NodeJS.Timeout;
  users: number;
  /** What was told of its socket already. */
  toldIn: number;
  toldOut: number;
}

/** Makes the connections of this process; nothing is opened before its first use. */
export function createInstanceClients(sealer: Sealer): InstanceClients {
  const kept = new Map<string, KeptConnection>();
  /** Of connections that are closed. */
  const untold = new Map<string, { bytesIn: number; bytesOut: number }>();
  let isClosed = false;

  function open(instance: InstanceAddress): KeptConnection {
    const { id } = instance;
    const address = addressOf(instance);
    const known = kept.get(id);
    if (known?.address === address) return known;
    if (known) drop(id, known);
    const redis = createPlatformRedis(sealer, instance);
    const idle = setTimeout(() => {
      if (connection.users === 0) drop(id, connection);
    }, idleTimeoutMs).unref();
    const ready = signIn(redis);
    const connection: KeptConnection = {
      ...{ redis, address, ready, idle },
      ...{ users: 0, toldIn: 0, toldOut: 0 },
    };
    redis.on('close', () => drop(id, connection));
    kept.set(id, connection);
    return connection;
  }

  function drop(id: string, connection: KeptConnection): void {
    if (kept.get(id) === connection) {
      kept.delete(id);
      untold.set(id, tell(id, connection));
    }
    clearTimeout(connection.idle);
    connection.redis.disconnect();
  }

  /** Adds what the connection moved to what was not told yet of those before it. */
  function tell(id: string, connection: KeptConnection | undefined) {
    const { bytesIn, bytesOut } = untold.get(id) ?? { bytesIn: 0, bytesOut: 0 };
    untold.delete(id);
    const stream = connection?.redis.stream;
    // Before it connects, a client has no socket.
    if (!connection || !stream) return { bytesIn, bytesOut };
    const moved = { in: stream.bytesWritten, out: stream.bytesRead };
    const told = { in: connection.toldIn, out: connection.toldOut };
    connection.toldIn = moved.in;
    connection.toldOut = moved.out;
    return { bytesIn: bytesIn + moved.in - told.in, bytesOut: bytesOut + moved.out - told.out };
  }

  return {
    takeTraffic(instanceId) {
      const connection = kept.get(instanceId);
      return { ...tell(instanceId, connection), connections: connection ? 1 : 0 };
    },
    async use(instance, work) {
      if (isClosed) return await withInstanceRedis(sealer, instance, work);
      const connection = open(instance);
      connection.users += 1;
      try {
        await connection.ready;
        return await work(connection.redis);
      } catch (error) {
        if (!(error instanceof ReplyError)) drop(instance.id, connection);
        throw error;
      } finally {
        connection.users -= 1;
        if (kept.get(instance.id) === connection) connection.idle.refresh();
      }
    },
    drop(instanceId) {
      const connection = kept.get(instanceId);
      if (connection) drop(instanceId, connection);
      // Its Redis ends or moves, and counts anew.
      untold.delete(instanceId);
    },
    close() {
      isClosed = true;
      for (const [id, connection] of kept) drop(id, connection);
    },
  };
}

function addressOf({ nodeHost, nodePort, passwordSealed }: InstanceAddress): string {
  return `${nodeHost}:${nodePort}/${passwordSealed}`;
}

/** A connection of the platform that signIn opens. @throws for an instance that was never provisioned. */
export function createPlatformRedis(
  sealer: Sealer,
  { id, nodeHost, nodePort, passwordSealed }: InstanceAddress,
  options: Pick<RedisOptions, 'connectTimeout' | 'commandTimeout' | 'protocol'> = defaultTimeouts,
): Redis {
  if (!nodeHost || !nodePort || !passwordSealed) throw new Error(`${id} was never provisioned`);
  return new Redis({
    host: nodeHost,
    port: nodePort,
    username: platformUser,
    password: sealer.open(passwordSealed, passwordPlace(id)),
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    ...options,
  });
}

/**
 * Connects and signs in. Fails with the words of the first failure only: ioredis hangs the command with its
 * arguments, hence the password, on its errors.
 */
export async function signIn(redis: Redis): Promise<void> {
  let reason: string | undefined;
  // Failures reach the caller through its promises; an unheard event would end the process.
  redis.on('error', (error: Error) => {
    reason ??= error.message;
  });
  try {
    await redis.connect();
  } catch (error) {
    throw new Error(reason ?? (error as Error).message);
  }
}
