import type { Middleware } from 'koa';
import { idPattern } from '../../lib/ids.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RequestState } from '../route.ts';

/**
 * One debug line a request: never the query (it may hold a key), a header, a body, or the arguments of a
 * Redis command.
 */
export function logRequest(logger: Logger): Middleware<RequestState> {
  return async (context, next) => {
    const startedMs = performance.now();
    await next();
    const { requestId } = context.state;
    const { method, path, status } = context;
    const tookMs = Math.round((performance.now() - startedMs) * 10) / 10;
    logger.debug({ requestId, method, path: loggable(path), status, tookMs }, 'request');
  };
}

const gatewayPrefix = '/redis/';
const instanceIdPattern = idPattern('inst');

/** The gateway's paths hold commands, with keys and values. */
function loggable(path: string): string {
  if (!path.startsWith(gatewayPrefix)) return path;
  const [id = ''] = path.slice(gatewayPrefix.length).split('/');
  return `${gatewayPrefix}${instanceIdPattern.test(id) ? id : '…'}`;
}
