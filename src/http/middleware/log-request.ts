import type { Middleware } from 'koa';
import type { Logger } from '../../lib/logger.ts';
import type { RequestState } from '../route.ts';

/** One debug line a request: never the query (it may hold a key), a header or a body. */
export function logRequest(logger: Logger): Middleware<RequestState> {
  return async (context, next) => {
    const startedMs = performance.now();
    await next();
    const { requestId } = context.state;
    const { method, path, status } = context;
    const tookMs = Math.round((performance.now() - startedMs) * 10) / 10;
    logger.debug({ requestId, method, path, status, tookMs }, 'request');
  };
}
