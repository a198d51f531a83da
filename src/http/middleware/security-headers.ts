import type { Middleware } from 'koa';

/** Answers hold keys and are nobody's to cache, frame or guess the type of. */
export const securityHeaders: Middleware = async (context, next) => {
  context.set({
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  });
  await next();
};
