/** What the tests of a living instance's changes do with it. */
import type { ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { runPulumi } from './pulumi.ts';
import { awaitOperation, type TestInstance, type TestService } from './service.ts';

/** A client of the instance that tries again for as long as it lives. */
export function connect({ host, port, key }: TestInstance): Redis {
  const redis = new Redis({ host, port, password: key, retryStrategy: () => 50 });
  redis.on('error', () => {});
  return redis;
}

/** One PING on a connection of its own. */
export async function ping({ host, port, key }: TestInstance): Promise<string> {
  const redis = new Redis({
    host,
    port,
    password: key,
    retryStrategy: () => null,
    lazyConnect: true,
  });
  redis.on('error', () => {});
  await redis.connect();
  return await redis.ping();
}

/** Writes about `megabytes` of values that Redis cannot share. */
export async function fill(redis: Redis, megabytes: number): Promise<void> {
  const value = 'x'.repeat(16 * 1024);
  for (let megabyte = 0; megabyte < megabytes; megabyte += 1) {
    const pipeline = redis.pipeline();
    for (let part = 0; part < 64; part += 1) pipeline.set(`f:${megabyte}:${part}`, value);
    await pipeline.exec();
  }
}

/** Asks for a change of an instance, or for something of its own at `tail`. */
export async function patch(
  service: TestService,
  { id }: TestInstance,
  tail: string,
  changes: object,
  method = 'PATCH',
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the API, as it came.
): Promise<any> {
  return await service.api.call(method, `/api/v1/instances/${id}${tail}`, changes);
}

/** Wishes a power change, and waits until it is as wished. */
export async function power(
  t: ExecutionContext,
  service: TestService,
  { id }: TestInstance,
  wish: string,
  status: string,
): Promise<void> {
  const { operation } = await service.api.call('POST', `/api/v1/instances/${id}/${wish}`);
  const ended = await awaitOperation(service, operation.id);
  t.is(ended.status, 'SUCCEEDED', JSON.stringify(ended));
  t.is((await service.api.call('GET', `/api/v1/instances/${id}`)).instance.status, status);
}

/** Pulumi, having looked at what is real, would change nothing. */
export async function agree(
  t: ExecutionContext,
  service: TestService,
  { id }: TestInstance,
): Promise<void> {
  t.regex(await runPulumi(service, `preview -s ${id} --refresh --expect-no-changes`), /unchanged/);
}
