import type { ExecutionContext } from 'ava';
import { type ErrorCode, errorCatalogue } from '../../src/lib/errors.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { type Answer, type Api, startApi } from './api.ts';
import { openTestDatabase } from './databases.ts';

/** The API over an embedded database; `isEmpty` tells whether nothing was made or begun. */
export async function startEmbeddedApi(
  t: ExecutionContext,
): Promise<{ api: Api; isEmpty: () => Promise<boolean> }> {
  const orm = await openTestDatabase(t);
  const api = await startApi(t, orm);
  const isEmpty = async (): Promise<boolean> => {
    return (await orm.em.fork().count(InstanceEntity, {})) === 0 && api.wakes() === 0;
  };
  return { api, isEmpty };
}

/** The fields that an answer names, each once. */
export function pointersOf({ body }: Answer): string[] {
  const problems: { pointer: string }[] = body.errors ?? [];
  return [...new Set(problems.map(({ pointer }) => pointer))].sort();
}

/** An RFC 9457 answer with everything that this service promises in one. */
export function isProblem(
  t: ExecutionContext,
  { status, headers, body }: Answer,
  code: ErrorCode,
): void {
  const entry = errorCatalogue[code];
  t.is(body?.code, code, JSON.stringify(body));
  t.is(status, entry.status);
  t.is(headers.get('Content-Type'), 'application/problem+json');
  const { detail, requestId, errors, limit, ...rest } = body;
  t.deepEqual(rest, {
    type: `/docs/errors.md#${code}`,
    title: entry.title,
    status: entry.status,
    error: entry.title,
    code,
    remedy: entry.remedy,
  });
  t.true(detail.length > 0);
  t.is(requestId, headers.get('X-Request-Id'));
  t.is(errors === undefined, code !== 'invalid_request');
  if (limit) t.deepEqual(Object.keys(limit), ['name', 'limit', 'used', 'requested']);
}
