import type { Middleware } from 'koa';
import type { HttpServices, RequestState } from './route.ts';

type ReadyServices = Pick<HttpServices, 'checkReady' | 'logger'>;

/** Whether the service can do its work, as /readyz says it. */
export async function readReadiness({
  checkReady,
  logger,
}: ReadyServices): Promise<{ status: 200 | 503; body: { status: 'ready' | 'not ready' } }> {
  try {
    await checkReady();
    return { status: 200, body: { status: 'ready' } };
  } catch (error) {
    logger.warn({ err: error }, 'not ready');
    return { status: 503, body: { status: 'not ready' } };
  }
}

/** Answers /healthz and /readyz in a process without the control API, whose routes they are elsewhere. */
export function answerHealth(services: ReadyServices): Middleware<RequestState> {
  return async (context, next) => {
    const isAsked = context.method === 'GET' || context.method === 'HEAD';
    if (isAsked && context.path === '/healthz') context.body = { status: 'ok' };
    else if (isAsked && context.path === '/readyz') {
      Object.assign(context, await readReadiness(services));
    } else await next();
  };
}
