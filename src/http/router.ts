/**
 * Binds the routes to Koa. In order: find the caller, count the request, check the input, see whether it
 * is repeated, call the handler, send what it gives.
 *
 * Guarantee: a handler acts for what its caller may do now, also where a body took its time to arrive.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Router } from '@koa/router';
import type { Caller } from '../accounts/caller.ts';
import { authenticateBySession } from '../accounts/sessions.ts';
import { rootDir } from '../config.ts';
import { isAccountSecret } from '../keys/format.ts';
import { AppError } from '../lib/errors.ts';
import { networkOf } from '../lib/network.ts';
import {
  authenticateRequest,
  baseUrlOf,
  originOf,
  readSessionSecret,
  requirePerson,
  siteOf,
} from './authenticate-request.ts';
import { readUpload } from './body-time.ts';
import { addDocsPage } from './docs-page.ts';
import { anonymousRowsMax, answerOnce, readIdempotencyKey } from './idempotency.ts';
import { readInput } from './input.ts';
import { noteRefusal } from './note-refusal.ts';
import { createOpenApiDocument } from './openapi.ts';
import type { RateLimits } from './rate-limit.ts';
import { errorDocumentation } from './render-error.ts';
import {
  type HttpContext,
  type HttpServices,
  type RequestFacts,
  type RequestState,
  type Route,
  takesIdempotencyKey,
} from './route.ts';
import { scopeOf } from './scope.ts';
import { sendAnswer, sendResult, writeAnswer } from './send-answer.ts';

const errorPage = readFileSync(join(rootDir, errorDocumentation), 'utf8');
/** What is known of a caller is looked up anew where the body arrived later than this. */
const callerKeptMs = 100;
/** An upload that gives no byte for so long is broken off. */
const uploadSilenceMs = 60_000;

/** Makes the router of the given routes, with /openapi.json and the error page beside them. */
export function createRouter(
  routes: readonly Route[],
  services: HttpServices,
  limits: RateLimits,
): Router<RequestState> {
  // Letter case counts, as it does where the paths are counted and guarded.
  const router = new Router<RequestState>({ sensitive: true });
  for (const route of routes) {
    router[route.method](route.path, async (context) => {
      await runRoute(route, context as unknown as HttpContext, services, limits);
    });
  }
  const { pathPrefix } = services.config;
  const document = JSON.stringify(createOpenApiDocument(routes, pathPrefix));
  router.get('/openapi.json', (context) => {
    context.type = 'application/json; charset=utf-8';
    context.body = document;
  });
  addDocsPage(router, pathPrefix);
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
  let caller: Caller | undefined;
  try {
    caller = await admit(route, context, services, limits);
    if (route.access === 'person' && caller) requirePerson(caller);
    const admittedMs = performance.now();
    const input = await readInput(context, route);
    if (caller && performance.now() - admittedMs > callerKeptMs) {
      // While a body was on its way, a key may have been removed or a role taken.
      caller = await authenticateRequest(context, services);
    }
    await answer(route, context, services, { ...input, caller });
  } catch (error) {
    const known = caller ?? (await findRefusedPerson(context, services, limits, error));
    if (known) await noteRefusal(route, services, { caller: known, params: context.params, error });
    throw error;
  }
}

type CheckedRequest = Awaited<ReturnType<typeof readInput>> & {
  readonly caller: Caller | undefined;
};

/** Runs the handler, or repeats what it gave to the same request before. */
async function answer(
  route: Route,
  context: HttpContext,
  services: HttpServices,
  { caller, ...input }: CheckedRequest,
): Promise<void> {
  const request = readFacts(context, services);
  const handle = () => route.handle({ ...input, caller, request, services });
  const isRepeatable = takesIdempotencyKey(route);
  const key = isRepeatable ? readIdempotencyKey(context.req.headers) : undefined;
  if (key === undefined) {
    sendResult(context, services, route, await handle());
    return;
  }
  const essence = [route.method, context.path, input.query, input.body];
  const whose = caller
    ? { scope: scopeOf(caller) }
    : { scope: anonymousScope(request, services), rowsMax: anonymousRowsMax };
  const run = async () => writeAnswer(await handle());
  sendAnswer(context, services, await answerOnce(services, { key, essence, ...whose }, run));
}

/** Those who have not said who they are are told apart by where they are: a cookie can be made up. */
function anonymousScope({ origin }: RequestFacts, { fingerprint }: HttpServices): string {
  return `anonymous/${fingerprint(networkOf(origin.ip ?? ''))}`;
}

/** Whose session another site's page tried to use: what was refused is noted as theirs. */
async function findRefusedPerson(
  context: HttpContext,
  services: HttpServices,
  limits: RateLimits,
  error: unknown,
): Promise<Caller | undefined> {
  if (!(error instanceof AppError) || error.code !== 'session_refused') return undefined;
  const secret = readSessionSecret(context) ?? '';
  const person = await authenticateBySession(services, secret, originOf(context));
  // It is counted like any other request of theirs, or a page could fill the log.
  if (person) await limits.admitCaller(context, person);
  return person;
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
    upload: () => openUpload(context),
    authenticateAgain: () => authenticateRequest(context, services),
  };
}

/** The body as it comes. A reader that gives it up does not take the connection from under the answer. */
function openUpload(context: HttpContext): Readable {
  context.set('Connection', 'close');
  return Readable.from(readUpload(context.req, uploadSilenceMs), { objectMode: false });
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
