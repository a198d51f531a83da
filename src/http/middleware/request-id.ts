import type { Middleware } from 'koa';
import { newId } from '../../lib/ids.ts';
import type { RequestState } from '../route.ts';

const acceptable = /^[\w.-]{1,64}$/;

/** Takes a caller's X-Request-Id where it is harmless, else makes one; sends it with every answer. */
export const requestId: Middleware<RequestState> = async (context, next) => {
  const given = context.get('X-Request-Id');
  context.state.requestId = acceptable.test(given) ? given : newId('req');
  context.set('X-Request-Id', context.state.requestId);
  await next();
};
