/**
 * Connections to instances, one for each (instance, key, protocol), signed in as the key's ACL user.
 *
 * A connection's life: opening (callers share one promise) → ready → dropped. It is dropped when it
 * fails, times out, says something unexpected, sits idle, or its key or instance is dropped; it is
 * never reopened: the next request opens another. drop is the one place that takes a connection out.
 */
import { Redis } from 'ioredis';
import { AppError } from '../lib/errors.ts';
import type { Grant } from './authorize.ts';
import { connectionFailure, tooBusy } from './failures.ts';

/** 3 keeps maps, doubles and booleans apart; 2 has the shapes that Upstash's clients expect. */
export type Protocol = 2 | 3;

export interface ConnectionLimits {
  readonly connectionsMax: number;
  /** Commands that wait on one connection. */
  readonly inFlightMax: number;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  connectionsMax: 1_000,
  inFlightMax: 10_000,
  connectTimeoutMs: 5_000,
  commandTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
};

export interface Connection {
  readonly name: string;
  readonly instanceId: string;
  readonly keyId: string;
  /** Where it leads and as whom: a moved instance or a changed key needs another connection. */
  readonly address: string;
  readonly redis: Redis;
  /** Rejects with Redis's own reply where signing in was refused. */
  readonly ready: Promise<void>;
  inFlight: number;
  lastUsedMs: number;
}

export interface ConnectionPool {
  /** Gives the connection of a grant, opened where there is none; await its `ready` before use. */
  acquire(grant: Grant, protocol: Protocol): Connection;
  drop(connection: Connection): void;
  dropWhere(matches: (connection: Connection) => boolean): void;
  /** Drops all connections and refuses to open more. */
  close(): void;
}

export function createConnectionPool(limits: ConnectionLimits): ConnectionPool {
  const connections = new Map<string, Connection>();
  let closed = false;
  const sweeper = setInterval(dropIdle, Math.max(limits.idleTimeoutMs / 6, 10)).unref();

  function drop(connection: Connection): void {
    if (connections.get(connection.name) === connection) connections.delete(connection.name);
    connection.redis.disconnect();
  }

  function dropWhere(matches: (connection: Connection) => boolean): void {
    for (const connection of connections.values()) if (matches(connection)) drop(connection);
  }

  function dropIdle(): void {
    const usedBeforeMs = performance.now() - limits.idleTimeoutMs;
    dropWhere(({ inFlight, lastUsedMs }) => inFlight === 0 && lastUsedMs < usedBeforeMs);
  }

  function makeRoom(): void {
    if (connections.size < limits.connectionsMax) return;
    let oldest: Connection | undefined;
    for (const connection of connections.values()) {
      if (connection.inFlight > 0) continue;
      if (!oldest || connection.lastUsedMs < oldest.lastUsedMs) oldest = connection;
    }
    if (!oldest) throw tooBusy('The gateway has no free connection');
    drop(oldest);
  }

  function acquire(grant: Grant, protocol: Protocol): Connection {
    if (closed) throw new AppError('shutting_down');
    const { instance, key } = grant;
    const name = `${instance.id}/${key.id}/${protocol}`;
    const address = `${instance.nodeHost}:${instance.nodePort}/${key.secretHash}`;
    const existing = connections.get(name);
    if (existing?.address === address) {
      if (existing.inFlight >= limits.inFlightMax) throw tooBusy('Too many commands are waiting');
      return existing;
    }
    if (existing) drop(existing);
    makeRoom();
    const redis = createClient(grant, protocol, limits);
    const connection: Connection = {
      name,
      instanceId: instance.id,
      keyId: key.id,
      address,
      redis,
      ready: connect(redis, () => drop(connection)),
      inFlight: 0,
      lastUsedMs: performance.now(),
    };
    connections.set(name, connection);
    return connection;
  }

  return {
    acquire,
    drop,
    dropWhere,
    close() {
      closed = true;
      clearInterval(sweeper);
      dropWhere(() => true);
    },
  };
}

function createClient(
  { instance, key, secret }: Grant,
  protocol: Protocol,
  { connectTimeoutMs, commandTimeoutMs }: ConnectionLimits,
): Redis {
  const { nodeHost, nodePort } = instance;
  if (!nodeHost || !nodePort) throw connectionFailure(new Error('no address is recorded'));
  return new Redis({
    host: nodeHost,
    port: nodePort,
    username: key.id,
    password: secret,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // Integers come as text: ioredis 6.0.0's decoder rounds them beyond 2^53 and errs just below it.
    // Strings are asked for as bytes (run.ts), so text in a reply can only be a number.
    stringNumbers: true,
    protocol,
    ...(protocol === 3 && { replyMapping: 'resp3' }),
    ...onceOnly,
  });
}

/** What keeps ioredis from queueing, resending or reconnecting by itself. */
const onceOnly = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  retryStrategy: () => null,
  // CLIENT SETINFO is two more commands a connection, and not every key may run it.
  disableClientInfo: true,
} as const;

async function connect(redis: Redis, onFailure: () => void): Promise<void> {
  // connect() only says "closed"; the reason, such as WRONGPASS, comes as an event before it.
  let reason: Error | undefined;
  redis.on('error', (error: Error) => {
    reason ??= error;
    onFailure();
  });
  redis.on('close', onFailure);
  try {
    await redis.connect();
  } catch (error) {
    throw reason ?? error;
  }
}
