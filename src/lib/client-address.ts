/** Where a request comes from, as far as the proxies in front of the service are believed. */
import type { IncomingHttpHeaders } from 'node:http';

/** What of a request tells where it comes from. */
interface Caller {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/**
 * Gives the address of whoever sent a request: what the outermost of the believed proxies wrote into
 * X-Forwarded-For, else the socket's. The header holds one entry a proxy, the last one's at the end, and
 * what stands before those of the believed proxies is a caller's to invent. The API's `context.ip` follows
 * the same rule.
 * @param proxyHops how many proxies are believed; with 0 the header is not looked at.
 * @returns '' where the socket has gone.
 */
export function clientAddressOf({ headers, socket }: Caller, proxyHops: number): string {
  const forwarded = proxyHops > 0 ? headers['x-forwarded-for'] : undefined;
  if (forwarded) {
    const entries = String(forwarded).split(',').slice(-proxyHops);
    const outermost = entries[0]?.trim();
    if (outermost) return outermost;
  }
  return socket.remoteAddress ?? '';
}
