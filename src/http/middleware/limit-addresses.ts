import type { Middleware } from 'koa';
import type { RateLimits } from '../rate-limit.ts';
import type { HttpContext, RequestState } from '../route.ts';

const limitedPath = /^\/api\/v1(\/|$)/;

/** Counts every request of the control API by its address; what watches the service goes free. */
export function limitAddresses(limits: RateLimits): Middleware<RequestState> {
  return async (context, next) => {
    if (limitedPath.test(context.path)) {
      await limits.admitAddress(context as unknown as HttpContext);
    }
    await next();
  };
}
