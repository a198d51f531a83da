/** Runs commands on pooled connections: each is sent once, or not at all and the caller told so. */
import { type Redis, Command as RedisCommand } from 'ioredis';
import type { Grant } from './authorize.ts';
import type { Connection, ConnectionPool, Protocol } from './connections.ts';
import { connectionFailure, isReplyError } from './failures.ts';
import type { Command } from './parse.ts';

/** Nothing was written to Redis, so the command may be sent on another connection. */
class UnsentError extends Error {}

/**
 * Runs a command with the rights of a key and gives the reply as encode.ts reads it.
 * @throws Redis's own error reply, or an AppError where Redis could not be asked or did not answer.
 */
export async function runCommand(
  pool: ConnectionPool,
  request: { readonly grant: Grant; readonly protocol: Protocol; readonly command: Command },
): Promise<unknown> {
  const { grant, protocol, command } = request;
  try {
    return await runOn(pool, pool.acquire(grant, protocol), command);
  } catch (error) {
    if (!(error instanceof UnsentError)) throw error;
  }
  try {
    return await runOn(pool, pool.acquire(grant, protocol), command);
  } catch (error) {
    throw error instanceof UnsentError ? connectionFailure(error) : error;
  }
}

async function runOn(
  pool: ConnectionPool,
  connection: Connection,
  command: Command,
): Promise<unknown> {
  connection.inFlight += 1;
  try {
    await connection.ready;
    return await send(connection.redis, command);
  } catch (error) {
    if (isReplyError(error)) throw error;
    // After a time-out, too: the late reply must find nobody.
    pool.drop(connection);
    throw isUnsent(error) ? new UnsentError() : connectionFailure(error);
  } finally {
    connection.inFlight -= 1;
    connection.lastUsedMs = performance.now();
  }
}

/** ioredis refuses by this text where the socket has ended and the connection's state not yet. */
function isUnsent(error: unknown): boolean {
  if (error instanceof UnsentError) return true;
  return error instanceof Error && error.message.startsWith("Stream isn't writeable");
}

function send(redis: Redis, { name, args }: Command): Promise<unknown> {
  if (redis.status !== 'ready') throw new UnsentError();
  // Not redis.call(name, ...args): a request may have more arguments than a function can take.
  const command = new RedisCommand(name, [...args], { replyEncoding: null });
  return redis.sendCommand(command) as Promise<unknown>;
}
