/** Takes the door's port, and gives it up. */
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

export interface WantedPort {
  readonly number: number;
  /** Whether somebody asked for exactly this port; else one of the next ones will do. */
  readonly fixed: boolean;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: WantedPort;
  /** Whether other processes may listen there as well; the kernel then shares connections out. */
  readonly isShared?: boolean;
  /** The setting to name where the port cannot be had. */
  readonly setting?: string;
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
  { host, port, isShared = false, setting = 'SWIFTCACHE_REDIS_PORT' }: ListenOptions,
): Promise<number> {
  const last = port.fixed ? port.number : Math.min(port.number + triesMax - 1, highestPort);
  for (let number = port.number; number <= last; number += 1) {
    const options = { host, port: number, reusePort: isShared };
    if (await tryListen(server, options, setting)) return (server.address() as AddressInfo).port;
  }
  const taken = port.fixed
    ? `the port ${port.number} of ${host} is taken by another program`
    : `the ports ${port.number} to ${last} of ${host} are all taken`;
  throw new Error(`${taken}: set ${setting} to a free port`);
}

/** Gives false where the port is taken. */
async function tryListen(
  server: Server,
  options: { host: string; port: number; reusePort: boolean },
  portSetting: string,
): Promise<boolean> {
  try {
    server.listen(options);
    await once(server, 'listening');
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return false;
    const others: Readonly<Record<string, string>> = {
      EACCES: portSetting,
      // Not every system shares ports out.
      ENOTSUP: 'SWIFTCACHE_REDIS_SHARE_PORT and SWIFTCACHE_REDIS_PROCESSES',
    };
    const setting = others[code ?? ''] ?? 'SWIFTCACHE_HOST';
    throw new Error(
      `cannot listen on ${options.host}:${options.port} (${code}): check ${setting}`,
      {
        cause: error,
      },
    );
  }
}

/** Accepts no more at once; resolves when the last connection has ended. */
export async function releasePort(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
