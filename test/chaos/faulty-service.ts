/**
 * The service with faults put in: the product's own, started by the same function, with hooks around its
 * steps and, where the data directory says so, another time and another way to an instance's Redis.
 */
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { startService } from '../../src/service.ts';
import { welcomeText } from '../../src/welcome.ts';
import { createFaultHooks } from './fault-hooks.ts';
import { clockFile, detourFile } from './seams.ts';

process.umask(0o077);

const config = loadConfig();
const chaosFile = (name: string): string => join(config.dataDir, name);
moveClock();
divertConnections();

const service = await startService(config, createLogger(config.logLevel), {
  hooks: createFaultHooks({ role: 'service', dataDir: () => config.dataDir }),
  workerFile: fileURLToPath(new URL('./faulty-worker.ts', import.meta.url)),
});
process.stdout.write(welcomeText(service, false));
process.once('SIGTERM', () => {
  service.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});

/** The service's clock goes wrong by what a file says, from one moment to the next. */
function moveClock(): void {
  Object.assign(systemClock, {
    now: () => new Date(Date.now() + Number(readJson(chaosFile(clockFile), 0))),
  });
}

/** Connections to the ports that a file names go to other ports: a proxy's that makes trouble. */
function divertConnections(): void {
  const connect = Socket.prototype.connect as (this: Socket, ...given: unknown[]) => Socket;
  Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
    const detours = readJson<Record<string, number>>(chaosFile(detourFile), {});
    // `net.connect` gives its arguments as one list, made normal before: options first.
    const [list] = given as [unknown];
    const options = (Array.isArray(list) ? list[0] : list) as { port?: number | string };
    const port = detours[String(options?.port)];
    if (port !== undefined) options.port = port;
    return connect.apply(this, given);
  } as typeof Socket.prototype.connect;
}

function readJson<T>(file: string, otherwise: T): T {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return otherwise;
  }
}
