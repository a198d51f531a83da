/**
 * The HTTP application: builds the Koa app from services that are given; never listens.
 *
 * Order: request id, error rendering, log, security headers; then the command gateway, which has its own
 * error shape, and the control API. A process that has neither still says whether it is well.
 */
import Koa from 'koa';
import type { Gateway } from './gateway/gateway.ts';
import { limitAddresses } from './http/middleware/limit-addresses.ts';
import { logRequest } from './http/middleware/log-request.ts';
import { requestId } from './http/middleware/request-id.ts';
import { securityHeaders } from './http/middleware/security-headers.ts';
import { createRateLimits } from './http/rate-limit.ts';
import { answerHealth } from './http/readiness.ts';
import { renderError } from './http/render-error.ts';
import type { HttpContext, HttpServices, RequestState } from './http/route.ts';
import { createRouter, refuseUnknown } from './http/router.ts';
import { routes } from './http/routes/index.ts';
import { AppError } from './lib/errors.ts';

/** What every process has, whatever its roles. */
export type AppServices = Pick<HttpServices, 'config' | 'logger' | 'checkReady'>;

/** Builds the app of those surfaces that this process has. */
export function createApp(
  services: AppServices,
  {
    gateway,
    api,
  }: { gateway?: Pick<Gateway, 'middleware'> | undefined; api?: HttpServices | undefined },
): Koa<RequestState> {
  const { proxyHops } = services.config;
  const app = new Koa<RequestState>({ proxy: proxyHops > 0, maxIpsCount: proxyHops });
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
  if (gateway) app.use(gateway.middleware);
  if (api) addControlApi(app, api);
  else app.use(answerHealth(services)).use(refuseAll);
  return app;
}

function addControlApi(app: Koa<RequestState>, services: HttpServices): void {
  const limits = createRateLimits(services);
  const router = createRouter(routes, services, limits);
  const refuse = refuseUnknown(router);
  app.use(limitAddresses(limits));
  app.use(router.routes());
  app.use((context) => refuse(context as unknown as HttpContext));
}

function refuseAll(): never {
  throw new AppError('route_not_found');
}
