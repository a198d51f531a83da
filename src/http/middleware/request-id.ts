import type { Middleware } from 'koa';
import { takeRequestId } from '../../lib/request-id.ts';
import type { RequestState } from '../route.ts';

/** Gives a request its id and sends that with every answer. */
export const requestId: Middleware<RequestState> = async (context, next) => {
  context.state.requestId = takeRequestId(context.get('X-Request-Id'));
  context.set('X-Request-Id', context.state.requestId);
  await next();
};
