/**
 * The HTTP application: builds the Koa app from services that are given; never listens.
 *
 * Order: request id, error rendering, log, security headers; then the command gateway, which has its own
 * error shape, and the control API.
 */
import Koa from 'koa';
import type { Gateway } from './gateway/gateway.ts';
import { limitAddresses } from './http/middleware/limit-addresses.ts';
import { logRequest } from './http/middleware/log-request.ts';
import { requestId } from './http/middleware/request-id.ts';
import { securityHeaders } from './http/middleware/security-headers.ts';
import { createRateLimits } from './http/rate-limit.ts';
import { renderError } from './http/render-error.ts';
import type { HttpContext, HttpServices, RequestState } from './http/route.ts';
import { createRouter, refuseUnknown } from './http/router.ts';
import { routes } from './http/routes/index.ts';

/** Builds the app of the control API and the gateway. */
export function createApp(
  services: HttpServices,
  gateway: Pick<Gateway, 'middleware'>,
): Koa<RequestState> {
  const { proxyHops } = services.config;
  const app = new Koa<RequestState>({ proxy: proxyHops > 0, maxIpsCount: proxyHops });
  const limits = createRateLimits(services);
  const router = createRouter(routes, services, limits);
  const refuse = refuseUnknown(router);
  app.on('error', (error) => services.logger.debug({ err: error }, 'a connection broke off'));
  app.use(requestId);
  app.use(async (context, next) => {
    try {
      await next();
    } catch (error) {
      renderError(context as unknown as HttpContext, services, error);
    }
  });
  app.use(logRequest(services.logger));
  app.use(securityHeaders);
  app.use(gateway.middleware);
  app.use(limitAddresses(limits));
  app.use(router.routes());
  app.use((context) => refuse(context as unknown as HttpContext));
  return app;
}
