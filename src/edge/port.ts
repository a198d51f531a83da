/** Takes the door's port. */
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

export interface WantedPort {
  readonly number: number;
  /** Whether somebody asked for exactly this port; else one of the next ones will do. */
  readonly fixed: boolean;
}

/** How many ports are tried where the first is taken. */
const triesMax = 100;
const highestPort = 65_535;

/**
 * Makes `server` listen and gives the port it got.
 * @throws an Error that names the setting to change.
 */
export async function listenOnPort(
  server: Server,
  { host, port }: { host: string; port: WantedPort },
): Promise<number> {
  const last = port.fixed ? port.number : Math.min(port.number + triesMax - 1, highestPort);
  for (let number = port.number; number <= last; number += 1) {
    if (await tryListen(server, host, number)) return (server.address() as AddressInfo).port;
  }
  const taken = port.fixed
    ? `the port ${port.number} of ${host} is taken by another program`
    : `the ports ${port.number} to ${last} of ${host} are all taken`;
  throw new Error(`${taken}: set SWIFTCACHE_REDIS_PORT to a free port`);
}

/** Gives false where the port is taken. */
async function tryListen(server: Server, host: string, port: number): Promise<boolean> {
  try {
    server.listen({ host, port });
    await once(server, 'listening');
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return false;
    const setting = code === 'EACCES' ? 'SWIFTCACHE_REDIS_PORT' : 'SWIFTCACHE_HOST';
    throw new Error(`cannot listen on ${host}:${port} (${code}): check ${setting}`, {
      cause: error,
    });
  }
}
