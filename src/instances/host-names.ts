/**
 * The name under which one instance is reached: `inst-….redis.<domain>`.
 *
 * An id with a hyphen in place of its underscore, because an underscore is none of a host name's characters:
 * OpenSSL lets `*.redis.example.com` stand for no name with one, and Java sends no such name at all. Who
 * asks for the id as it is means the same instance.
 */
import { idPattern } from '../lib/ids.ts';

const instanceId = idPattern('inst');

/** The host name of an instance. @param domain the service's own, in lower case. */
export function instanceHostname(id: string, domain: string): string {
  return `${id.replace('_', '-')}.redis.${domain}`;
}

/** The id of the instance that a name means, whatever its case; undefined for any other name. */
export function instanceOfHostname(hostname: string, domain: string): string | undefined {
  const name = hostname.toLowerCase();
  const suffix = `.redis.${domain}`;
  if (!name.endsWith(suffix)) return undefined;
  const id = name.slice(0, -suffix.length).replace(/^inst-/, 'inst_');
  return instanceId.test(id) ? id : undefined;
}
