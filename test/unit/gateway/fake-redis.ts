/** A server that reads commands and answers what a test tells it to, for what a real Redis never does. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import type { Grant } from '../../../src/gateway/authorize.ts';
import { elementsOf, textOf } from '../../../src/gateway/redis/frames.ts';
import { createReplyReader } from '../../../src/gateway/redis/reply-reader.ts';

export interface FakeRedis {
  readonly port: number;
  /** Every command that came, joined by blanks, sign-ins too. */
  readonly seen: string[];
  /** How many commands each chunk of bytes held. */
  readonly chunkSizes: number[];
  readonly connectionCount: () => number;
  /** Cuts all connections. */
  cut(): void;
  close(): Promise<void>;
}

/** Gives the bytes of an answer; undefined for none. */
type Respond = (command: string, socket: Socket) => string | undefined;

const signedIn = '+OK\r\n';

/** Answers sign-ins with a yes and PING with PONG; all else is for `respond`. */
export async function startFakeRedis(
  t: Pick<ExecutionContext, 'teardown'>,
  respond: Respond = () => undefined,
  port = 0,
): Promise<FakeRedis> {
  const seen: string[] = [];
  const chunkSizes: number[] = [];
  const sockets = new Set<Socket>();
  let connectionCount = 0;
  const server: Server = createServer((socket) => {
    connectionCount += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    const answer = (command: string): string | undefined => {
      if (/^(AUTH|HELLO) /.test(command)) return respond(command, socket) ?? signedIn;
      return command === 'PING' ? '+PONG\r\n' : respond(command, socket);
    };
    // A command is an array, so what reads replies reads commands, too.
    const reader = createReplyReader({
      replyBytesMax: 100_000_000,
      replyDepthMax: 1,
      onReply(frame) {
        const command = (elementsOf(frame) ?? []).map(textOf).join(' ');
        seen.push(command);
        const bytes = answer(command);
        if (bytes !== undefined) socket.write(bytes, 'latin1');
      },
      onPush: () => {},
      onViolation: () => socket.destroy(),
    });
    socket.on('data', (chunk) => {
      const before = seen.length;
      reader.push(chunk);
      chunkSizes.push(seen.length - before);
    });
  });
  server.listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    cut();
    await closed;
  };
  t.teardown(close);
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    seen,
    chunkSizes,
    connectionCount: () => connectionCount,
    cut,
    close,
  };
}

/** A key that may use an instance at this port; no database knows of it. */
export function grantFor(port: number, keyId = 'key_1', instanceId = 'inst_1'): Grant {
  return {
    secret: `secret of ${keyId}`,
    key: {
      id: keyId,
      organizationId: 'org_1',
      secretHash: `hash of ${keyId}`,
      permissions: ['read', 'write'],
      ipWhitelist: [],
      rateLimit: 1_000,
      expiresAt: null,
    },
    instance: { id: instanceId, status: 'RUNNING', nodeHost: '127.0.0.1', nodePort: port },
    requestsPerSecond: 1_000,
  };
}
