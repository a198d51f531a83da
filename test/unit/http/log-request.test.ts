import test from 'ava';
import type { Context } from 'koa';
import { logRequest } from '../../../src/http/middleware/log-request.ts';
import { captureLog } from '../../support/log-lines.ts';

/** The path that is logged of a request. */
async function loggedPath(path: string): Promise<string> {
  const { logger, text } = captureLog('debug');
  const context = { state: { requestId: 'req_test' }, method: 'GET', path, status: 200 };
  await logRequest(logger)(context as unknown as Context & { state: never }, async () => {});
  return JSON.parse(text()).path;
}

test('of a Redis command the instance is logged, and no argument', async (t) => {
  const id = 'inst_aaaaaaaaaaaaaaaa';
  t.is(await loggedPath(`/redis/${id}`), `/redis/${id}`);
  t.is(await loggedPath(`/redis/${id}/set/customer/4111111111111111`), `/redis/${id}`);
  t.is(await loggedPath('/redis/hunter2'), '/redis/…');
  t.is(await loggedPath('/redis//hunter2/x'), '/redis/…');
  t.is(await loggedPath('/redis/'), '/redis/…');
});

test("the service's own paths are logged as they are", async (t) => {
  const own = ['/', '/api/v1/instances', '/docs', '/docs/errors.md', '/openapi.json', '/healthz'];
  for (const path of [...own, '/readyz', '/metrics', '/redis']) t.is(await loggedPath(path), path);
});

test('of a path that was meant for the gateway no argument is logged either', async (t) => {
  for (const [path, logged] of [
    ['//redis/inst_a/set/k/SECRET', '/…'],
    ['/Redis/inst_a/set/k/SECRET', '/…'],
    ['/REDIS%2Finst_a%2Fset%2Fk%2FSECRET', '/…'],
    ['/prefix/redis/inst_a/set/k/SECRET', '/prefix/…'],
    ['/api/redis/inst_a/set/k/SECRET', '/api/…'],
    ['/healthz/SECRET', '/healthz/…'],
    ['/docs-SECRET', '/…'],
    ['http://host/redis/inst_a/set/k/SECRET', '/…'],
  ] as const) {
    t.is(await loggedPath(path), logged, path);
  }
});
