/**
 * Which pages of other sites may call the gateway from a browser (CORS, as the Fetch standard has it).
 *
 * Closed unless configured. Only /redis/ is ever opened: the control API takes cookies. A key is sent as a
 * header, so credentials of the browser's own are never asked for, and `*` is safe.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** How long a browser may remember a preflight's answer; longer than 2 h none does. */
const preflightAgeSeconds = 7_200;

/** What a page may send. Beyond these, every Upstash-* header that it asks for. */
const requestHeader = /^(authorization|content-type|accept|x-request-id|upstash-[a-z0-9-]{1,60})$/;

const exposedHeaders = [
  'Upstash-Sync-Token',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-Request-Id',
].join(', ');

/** The headers of answers to a browser's page, as a flat list of names and values. */
export interface Cors {
  /** For every answer but a preflight's; the same list for the same origin. */
  readHeaders(origin: string | undefined): readonly string[];
  /** For the answer to an OPTIONS request that is a preflight of an allowed page; else undefined. */
  readPreflight(headers: IncomingHttpHeaders): readonly string[] | undefined;
}

/**
 * @param origins those allowed, such as `https://app.example.com`; `*` among them allows all, none closes.
 * @param methods what the gateway takes.
 */
export function createCors(origins: readonly string[], methods: readonly string[]): Cors {
  const isAny = origins.includes('*');
  // A cache must not give one origin what was meant for another.
  const varying = isAny || origins.length === 0 ? [] : ['Vary', 'Origin'];
  const allowed = new Map(origins.map((origin) => [origin, listHeaders(origin)]));

  function listHeaders(origin: string): readonly string[] {
    return [
      ...varying,
      'Access-Control-Allow-Origin',
      origin,
      'Access-Control-Expose-Headers',
      exposedHeaders,
    ];
  }

  function find(origin: string | undefined): readonly string[] | undefined {
    return origin === undefined ? undefined : allowed.get(isAny ? '*' : origin);
  }

  return {
    readHeaders: (origin) => find(origin) ?? varying,
    readPreflight({ origin, ...headers }) {
      const common = find(origin);
      if (!common || !headers['access-control-request-method']) return undefined;
      const asked = headers['access-control-request-headers'] ?? '';
      const names = asked.split(',').map((name) => name.trim().toLowerCase());
      return [
        ...common,
        'Vary',
        'Access-Control-Request-Headers',
        'Access-Control-Allow-Methods',
        methods.join(', '),
        'Access-Control-Allow-Headers',
        names.filter((name) => requestHeader.test(name)).join(', '),
        'Access-Control-Max-Age',
        String(preflightAgeSeconds),
      ];
    },
  };
}
