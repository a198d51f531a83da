/** Webdis, the HTTP gateway for Redis that is written in C, as Debian packs and configures it. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchRedis, findFreePort } from './bench-redis.ts';
import { type PeerProgram, startPeer } from './peer-program.ts';

/** Debian's setting. */
const threads = 2;

export interface Webdis extends PeerProgram {
  readonly url: string;
}

/** Starts it before a Redis, on a port of its own. @throws where it is not installed or does not answer. */
export async function startWebdis(redis: BenchRedis): Promise<Webdis> {
  const dir = mkdtempSync(join(tmpdir(), 'swiftcache-webdis-'));
  const port = await findFreePort();
  const file = join(dir, 'webdis.json');
  const settings = {
    redis_host: '127.0.0.1',
    redis_port: redis.port,
    // It signs in as the user "default": its Debian version knows no others.
    redis_auth: redis.password,
    http_host: '127.0.0.1',
    http_port: port,
    http_max_request_size: 10 * 1024 * 1024,
    threads,
    daemonize: false,
    database: 0,
    acl: [],
    verbosity: 0,
    logfile: join(dir, 'webdis.log'),
  };
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 });
  const url = `http://127.0.0.1:${port}`;
  const isReady = async (): Promise<true | undefined> => {
    return (await (await fetch(`${url}/PING`)).text()).includes('PONG') || undefined;
  };
  return { ...(await startPeer('webdis', { args: [file], dir, isReady })), url };
}
