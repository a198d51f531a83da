/** HAProxy in TCP mode before a Redis: the peer that forwards and does nothing else. */
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from './bench-redis.ts';
import { type PeerProgram, startPeer } from './peer-program.ts';

export interface Haproxy extends PeerProgram {
  readonly port: number;
}

/**
 * Starts it on a port of its own, with so many threads; 0 leaves that to HAProxy, which takes one a core.
 * @throws where it is not installed or does not answer.
 */
export async function startHaproxy(redisPort: number, threads: number): Promise<Haproxy> {
  const dir = mkdtempSync(join(tmpdir(), 'swiftcache-haproxy-'));
  const port = await findFreePort();
  const file = join(dir, 'haproxy.cfg');
  const settings = [
    'global',
    '  maxconn 4096',
    ...(threads > 0 ? [`  nbthread ${threads}`] : []),
    'defaults',
    '  mode tcp',
    '  timeout connect 5s',
    '  timeout client 1h',
    '  timeout server 1h',
    'listen redis',
    `  bind 127.0.0.1:${port}`,
    `  server redis 127.0.0.1:${redisPort}`,
  ];
  writeFileSync(file, `${settings.join('\n')}\n`, { mode: 0o600 });
  const args = ['-db', '-q', '-f', file];
  const peer = await startPeer('haproxy', { args, dir, isReady: () => canConnect(port) });
  return { ...peer, port };
}

async function canConnect(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
