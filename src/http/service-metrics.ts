/**
 * GET /metrics: the service's own figures for Prometheus, for whoever has the operator's token.
 *
 * Without a token in the configuration there is no such endpoint. The figures name no tenant, but how busy a
 * service is, is its operator's to know.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Middleware } from 'koa';
import { sha256Hex } from '../lib/crypto.ts';
import { AppError } from '../lib/errors.ts';
import { expositionType } from '../metrics/exposition.ts';
import type { RequestState } from './route.ts';

/** @param read gives the figures in Prometheus's text format. */
export function answerMetrics(
  token: string,
  read: () => Promise<string>,
): Middleware<RequestState> {
  const expected = Buffer.from(sha256Hex(token));
  return async (context, next) => {
    const isAsked = context.method === 'GET' || context.method === 'HEAD';
    if (!isAsked || context.path !== '/metrics') return await next();
    const given = /^Bearer +(\S+)$/i.exec(context.get('Authorization'))?.[1] ?? '';
    // Hashes are of one length, and how far they agree tells nothing of the token.
    if (!timingSafeEqual(Buffer.from(sha256Hex(given)), expected)) {
      throw new AppError('invalid_authentication_token');
    }
    context.type = expositionType;
    context.body = await read();
  };
}
