/**
 * The HTTP application: builds the Koa app from services that are given; never listens.
 *
 * Order: request id, error rendering, log, security headers; then the control API. A process without it
 * still says whether it is well. The command gateway stands beside the app, not in it (http-server.ts).
 */
import Koa from 'koa';
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
import { answerMetrics } from './http/service-metrics.ts';
import { AppError } from './lib/errors.ts';

/** What every process has, whatever its roles. */
export type AppServices = Pick<HttpServices, 'config' | 'logger' | 'checkReady'>;

interface AppParts {
  readonly api?: HttpServices | undefined;
  /** Gives the service's figures as Prometheus reads them, where there are any. */
  readonly readMetrics?: (() => Promise<string>) | undefined;
}

/** Builds the app, with the control API where this process has it. */
export function createApp(
  services: AppServices,
  { api, readMetrics }: AppParts,
): Koa<RequestState> {
  const { metricsToken, proxyHops } = services.config;
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
  if (metricsToken && readMetrics) app.use(answerMetrics(metricsToken, readMetrics));
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
