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
/** Where this service has paths of its own, which hold ids and no secrets. */
const ownPath = /^\/(api\/v1\/|docs\/|(docs|openapi\.json|healthz|readyz|metrics)?$)/;
const harmlessSegment = /^[a-z0-9-]{1,20}$/;

/**
 * The gateway's paths hold commands, with keys and values; so may those that were meant for it, with a
 * second slash, in other letters or behind a prefix that is not configured.
 */
function loggable(path: string): string {
  if (ownPath.test(path)) return path;
  const isGateways = path.startsWith(gatewayPrefix);
  const start = isGateways ? gatewayPrefix.length : 1;
  const [first = '', ...others] = path.slice(start).split('/');
  if (isGateways) return `${gatewayPrefix}${instanceIdPattern.test(first) ? first : '…'}`;
  if (!harmlessSegment.test(first)) return '/…';
  return others.length === 0 ? `/${first}` : `/${first}/…`;
}
