/**
 * Binds the routes to Koa. In order: find the caller, count the request, check the input, see whether it
 * is repeated, call the handler, send what it gives.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Router } from '@koa/router';
import type { Caller } from '../accounts/caller.ts';
import { rootDir } from '../config.ts';
import { isAccountSecret } from '../keys/format.ts';
import { AppError } from '../lib/errors.ts';
import {
  authenticateRequest,
  baseUrlOf,
  originOf,
  readSessionSecret,
  requirePerson,
  siteOf,
} from './authenticate-request.ts';
import { addDocsPage } from './docs-page.ts';
import { answerOnce, readIdempotencyKey } from './idempotency.ts';
import { readInput } from './input.ts';
import { noteRefusal } from './note-refusal.ts';
import { createOpenApiDocument } from './openapi.ts';
import type { RateLimits } from './rate-limit.ts';
import { errorDocumentation } from './render-error.ts';
import type { HttpContext, HttpServices, RequestFacts, RequestState, Route } from './route.ts';
import { scopeOf } from './scope.ts';
import { sendAnswer, sendResult, writeAnswer } from './send-answer.ts';

const errorPage = readFileSync(join(rootDir, errorDocumentation), 'utf8');

/** Makes the router of the given routes, with /openapi.json and the error page beside them. */
export function createRouter(
  routes: readonly Route[],
  services: HttpServices,
  limits: RateLimits,
): Router<RequestState> {
  const router = new Router<RequestState>();
  for (const route of routes) {
    router[route.method](route.path, async (context) => {
      await runRoute(route, context as unknown as HttpContext, services, limits);
    });
  }
  const document = JSON.stringify(createOpenApiDocument(routes));
  router.get('/openapi.json', (context) => {
    context.type = 'application/json; charset=utf-8';
    context.body = document;
  });
  addDocsPage(router);
  // The `type` of every problem points into this page.
  router.get(errorDocumentation, (context) => {
    context.type = 'text/markdown; charset=utf-8';
    context.body = errorPage;
  });
  return router;
}

async function runRoute(
  route: Route,
  context: HttpContext,
  services: HttpServices,
  limits: RateLimits,
): Promise<void> {
  const caller = await admit(route, context, services, limits);
  try {
    if (route.access === 'person' && caller) requirePerson(caller);
    const input = await readInput(context, route);
    const request = readFacts(context, services);
    const handle = () => route.handle({ ...input, caller, request, services });
    const key = route.method === 'post' ? readIdempotencyKey(context.req.headers) : undefined;
    if (key === undefined) {
      sendResult(context, route, await handle());
      return;
    }
    const essence = [route.method, context.path, input.query, input.body];
    const scope = caller ? scopeOf(caller) : anonymousScope(request, services);
    const repeatable = { key, scope, essence };
    const run = async () => writeAnswer(await handle());
    sendAnswer(context, await answerOnce(services, repeatable, run));
  } catch (error) {
    if (caller) await noteRefusal(route, services, { caller, params: context.params, error });
    throw error;
  }
}

/** Those who have not said who they are are told apart by where they are and the session they bring. */
function anonymousScope(
  { origin, sessionSecret = '' }: RequestFacts,
  { fingerprint }: HttpServices,
): string {
  return `anonymous/${fingerprint(`${origin.ip} ${sessionSecret}`)}`;
}

async function admit(
  { access }: Route,
  context: HttpContext,
  services: HttpServices,
  limits: RateLimits,
): Promise<Caller | undefined> {
  if (access === 'public') return undefined;
  const caller = await limits.guardAuthentication(context, readCredential(context), () =>
    authenticateRequest(context, services),
  );
  await limits.admitCaller(context, caller);
  return caller;
}

/** What would be looked up to find the caller. */
function readCredential(context: HttpContext): string | undefined {
  const authorization = context.get('Authorization');
  if (!authorization) return readSessionSecret(context);
  const secret = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  return secret && isAccountSecret(secret) ? secret : undefined;
}

function readFacts(context: HttpContext, services: HttpServices): RequestFacts {
  return {
    origin: originOf(context),
    ifMatch: context.get('If-Match') || undefined,
    sessionSecret: readSessionSecret(context),
    site: siteOf(context),
    baseUrl: baseUrlOf(context, services),
    authenticateAgain: () => authenticateRequest(context, services),
  };
}

/** What no route took: a wrong method where the path is known, else no such endpoint. */
export function refuseUnknown(router: Router<RequestState>) {
  return (context: HttpContext): never => {
    const { path } = router.match(context.path, context.method);
    const [first] = path;
    if (first) {
      // Of several that fit, the first is meant: /instances/regions is no instance's path.
      const layers = path.filter((layer) => layer.path === first.path);
      const methods = [...new Set(layers.flatMap((layer) => layer.methods))].join(', ');
      throw new AppError('method_not_allowed', undefined, { headers: { Allow: methods } });
    }
    throw new AppError('route_not_found');
  };
}
