/** A TCP proxy that makes trouble: answers late, not at all, or with a reset. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Trouble = 'none' | 'slow' | 'half-open' | 'reset';

export interface TroubleProxy {
  readonly port: number;
  /** What happens from now on, to open connections too. */
  make(trouble: Trouble): void;
  close(): Promise<void>;
}

/** How much later each answer comes. */
const slowMs = 500;

/** Stands before a port of this machine. */
export async function startTroubleProxy(target: number): Promise<TroubleProxy> {
  let trouble: Trouble = 'none';
  const open = new Set<Socket>();
  const pass = (from: Socket, to: Socket, delayMs: number): void => {
    let order = Promise.resolve();
    open.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      open.delete(from);
      if (trouble !== 'half-open') to.destroy();
    });
    from.on('data', (bytes) => {
      // What a half-open connection is given is never seen again.
      if (trouble === 'half-open') return;
      const wait = trouble === 'slow' ? sleep(delayMs) : undefined;
      order = order.then(() => wait).then(() => void (to.writable && to.write(bytes)));
    });
  };
  const server = createServer((client) => {
    if (trouble === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    pass(client, upstream, 0);
    pass(upstream, client, slowMs);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    make(next) {
      // Bytes were lost on the way: what is open now can only end.
      const isOver = trouble === 'half-open' && next !== 'half-open';
      trouble = next;
      if (next === 'reset' || isOver) for (const socket of open) socket.resetAndDestroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
