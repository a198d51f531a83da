/**
 * Finds the caller of a request: by its Authorization header, else by its session cookie.
 *
 * A browser sends cookies along with requests that other sites made it send. So a session changes
 * something only where the browser itself says that the request came from this service's own pages;
 * what says nothing is refused. The cookie's name begins with `__Host-`: browsers take such a cookie
 * only over TLS (or from localhost), for the whole host and from nobody else.
 */
import { isIP } from 'node:net';
import { authenticateByKey } from '../accounts/authenticate.ts';
import type { Caller, Origin } from '../accounts/caller.ts';
import { authenticateBySession, sessionLifetimeMs } from '../accounts/sessions.ts';
import { AppError } from '../lib/errors.ts';
import type { HttpContext, HttpServices } from './route.ts';

export { requirePerson } from '../accounts/caller.ts';

export const sessionCookie = '__Host-swiftcache-session';

/** Whose page made a browser send a request, as far as the browser says so. */
export type Site = 'own' | 'foreign' | 'unknown';

/** Where a request came from. */
export function originOf(context: HttpContext): Origin {
  const { ip, socket } = context;
  // What a proxy wrote is believed only where it is an address at all.
  const address = isIP(ip) ? ip : socket.remoteAddress;
  return { ip: address ?? null, requestId: context.state.requestId };
}

/** The secret in the session cookie, valid or not. */
export function readSessionSecret(context: HttpContext): string | undefined {
  return context.cookies.get(sessionCookie);
}

/** Tells from what browsers alone can write whether one of this service's pages sent the request. */
export function siteOf(context: HttpContext): Site {
  const fetchSite = context.get('Sec-Fetch-Site');
  // `none` is the person themselves, e.g. at the address bar.
  if (fetchSite) return ['same-origin', 'none'].includes(fetchSite) ? 'own' : 'foreign';
  const origin = context.get('Origin');
  if (!origin) return 'unknown';
  // The scheme is left out: a proxy that ends TLS need not have told ours.
  return URL.parse(origin)?.host === context.host ? 'own' : 'foreign';
}

/**
 * Finds the caller of a request. A key in the Authorization header counts more than a cookie.
 * @throws {AppError} `authentication_required`, `invalid_authentication_token`, `session_refused`.
 */
export async function authenticateRequest(
  context: HttpContext,
  services: HttpServices,
): Promise<Caller> {
  const origin = originOf(context);
  const authorization = context.get('Authorization');
  const sessionSecret = readSessionSecret(context);
  if (!authorization && sessionSecret) {
    const isReading = ['GET', 'HEAD', 'OPTIONS'].includes(context.method);
    if (!isReading) requireOwnSite(siteOf(context));
    const caller = await authenticateBySession(services, sessionSecret, origin);
    if (caller) return caller;
  }
  return await authenticateByKey(services, authorization, origin);
}

/** @throws {AppError} `session_refused` unless one of this service's pages asks. */
export function requireOwnSite(site: Site): void {
  if (site !== 'own') throw new AppError('session_refused');
}

/**
 * For what gives a session: programs may ask for one, other sites' pages may not.
 * @throws {AppError} `session_refused`.
 */
export function refuseForeignSite(site: Site): void {
  if (site === 'foreign') throw new AppError('session_refused');
}

/** The Set-Cookie header that begins a session. (Koa's own would refuse `Secure` behind a proxy.) */
export function beginSessionCookie(secret: string): Readonly<Record<string, string>> {
  return setCookie(secret, sessionLifetimeMs / 1_000);
}

/** The Set-Cookie header that makes the browser forget the session. */
export function endSessionCookie(): Readonly<Record<string, string>> {
  return setCookie('', 0);
}

function setCookie(value: string, maxAgeSeconds: number): Readonly<Record<string, string>> {
  const attributes = `Path=/; Max-Age=${maxAgeSeconds}; Secure; HttpOnly; SameSite=Lax`;
  return { 'Set-Cookie': `${sessionCookie}=${value}; ${attributes}` };
}

/** What this service is called in the request, with its prefix, for links to it. */
export function baseUrlOf(context: HttpContext, { config }: Pick<HttpServices, 'config'>): string {
  const scheme = context.protocol === 'https' ? 'https' : 'http';
  const site = URL.parse(`${scheme}://${context.host}`)?.origin;
  return `${site ?? `${scheme}://${config.publicHost}`}${config.pathPrefix}`;
}
