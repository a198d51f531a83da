/** Binds the routes to Koa: authenticate, check the input, call the handler, send what it gives. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Router } from '@koa/router';
import { authenticateCaller } from '../accounts/account-keys.ts';
import { rootDir } from '../config.ts';
import { AppError } from '../lib/errors.ts';
import { readInput } from './input.ts';
import { createOpenApiDocument } from './openapi.ts';
import { errorDocumentation } from './render-error.ts';
import type { HttpContext, HttpServices, RequestState, Route } from './route.ts';

const errorPage = readFileSync(join(rootDir, errorDocumentation), 'utf8');

/** Makes the router of the given routes, with /openapi.json and the error page beside them. */
export function createRouter(
  routes: readonly Route[],
  services: HttpServices,
): Router<RequestState> {
  const router = new Router<RequestState>();
  for (const route of routes) {
    router[route.method](route.path, async (context) => {
      await runRoute(route, context as unknown as HttpContext, services);
    });
  }
  const document = createOpenApiDocument(routes);
  router.get('/openapi.json', (context) => {
    context.body = document;
  });
  // The `type` of every problem points into this page.
  router.get(errorDocumentation, (context) => {
    context.type = 'text/markdown; charset=utf-8';
    context.body = errorPage;
  });
  return router;
}

async function runRoute(route: Route, context: HttpContext, services: HttpServices): Promise<void> {
  const caller =
    route.access === 'account'
      ? await authenticateCaller(services, context.get('Authorization'))
      : undefined;
  const input = await readInput(context, route);
  const { status, body, headers } = await route.handle({ ...input, caller, services });
  context.status = status;
  if (headers) context.set({ ...headers });
  context.body = body;
}

/** What no route took: a wrong method where the path is known, else no such endpoint. */
export function refuseUnknown(router: Router<RequestState>) {
  return (context: HttpContext): never => {
    const { path } = router.match(context.path, context.method);
    if (path.length > 0) {
      const methods = [...new Set(path.flatMap((layer) => layer.methods))].join(', ');
      throw new AppError('method_not_allowed', undefined, { headers: { Allow: methods } });
    }
    throw new AppError('route_not_found');
  };
}
