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

test('other paths are logged as they are', async (t) => {
  for (const path of ['/', '/api/v1/instances', '/redis', '/redistribute/x']) {
    t.is(await loggedPath(path), path);
  }
});
