/** What many instances cost the gateway, and what many connections leave behind. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pollUntil } from '../../src/lib/retry.ts';
import { asCaller, type BenchFront, startBenchFront } from './bench-front.ts';

const instances = 1_000;
const connections = 2_000;
/** The gateway's descriptors limit, and this process's, may be lower than all at once. */
const connectionsAtOnce = 500;
const callersAtOnce = 50;
const settleTimeoutMs = 60_000;
const rssMibMax = 500;

/** Measures both and prints it. @throws where it is more than it may be. */
export async function measureGrowth(say: (text: string) => void): Promise<void> {
  const gateway = await startBenchFront({ callers: instances });
  try {
    const before = gateway.readFootprint();
    await callEach(gateway);
    const after = gateway.readFootprint();
    say(`${instances} instances with a caller each: ${after.rssMib.toFixed(0)} MiB`);
    say(`  before the first call ${before.rssMib.toFixed(0)} MiB; ${after.handles} handles`);
    if (after.rssMib > rssMibMax) throw new Error(`more than ${rssMibMax} MiB`);
    const closed = await openAndClose(gateway);
    say(`${connections} connections opened and closed: ${closed} handles are left of them`);
  } finally {
    await gateway.stop();
  }
}

/** Each caller once; their connections to Redis stay open until they are idle for long. */
async function callEach(gateway: BenchFront): Promise<void> {
  const waiting = [...gateway.callers];
  const work = async (): Promise<void> => {
    for (let caller = waiting.pop(); caller; caller = waiting.pop()) {
      const { url, headers } = asCaller(gateway, caller);
      const response = await fetch(`${url}/incr/${caller.instanceId}`, { headers });
      const text = await response.text();
      if (text !== '{"result":1}') throw new Error(`${response.status} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: callersAtOnce }, work));
}

/** Gives how many more handles there are than before. @throws where they stay. */
async function openAndClose(gateway: BenchFront): Promise<number> {
  const before = gateway.readFootprint().handles;
  const [caller] = gateway.callers;
  if (!caller) throw new Error('there is no caller');
  for (let opened = 0; opened < connections; opened += connectionsAtOnce) {
    const sockets = await Promise.all(
      Array.from({ length: connectionsAtOnce }, () => ask(gateway, caller)),
    );
    for (const socket of sockets) socket.destroy();
  }
  let left = 0;
  await pollUntil(
    async () => {
      left = gateway.readFootprint().handles - before;
      return left <= 0 || undefined;
    },
    { timeoutMs: settleTimeoutMs, intervalMs: 200 },
  );
  return left;
}

/** A connection that has had one answer and stays open. */
async function ask(gateway: BenchFront, caller: BenchFront['callers'][number]): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  const { headers } = asCaller(gateway, caller);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  const head = `GET /redis/${caller.instanceId}/ping HTTP/1.1\r\nHost: ${hostname}\r\n`;
  socket.write(`${head}Authorization: ${headers.Authorization}\r\n\r\n`);
  await once(socket, 'data');
  return socket;
}
