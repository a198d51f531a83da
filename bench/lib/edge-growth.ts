/** What connections cost the door that are signed in and do nothing, and what they leave behind. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { pollUntil } from '../../src/lib/retry.ts';
import type { BenchFront } from './bench-front.ts';

const connectionsWanted = 10_000;
const connectionsAtOnce = 20;
const settleTimeoutMs = 60_000;
const rssMibMax = 300;
/** What the door's process has open beside its connections, with room to spare. */
const otherHandlesMax = 200;
/** The client's and the instance's. */
const handlesEach = 2;
const signedIn = '+OK\r\n+PONG\r\n';

/**
 * Opens 10,000, or as many as this machine lets one process have, and prints the memory of the door's.
 * @throws where it is more than it may be, or where they do not close.
 */
export async function measureIdle(front: BenchFront, say: (text: string) => void): Promise<void> {
  const limit = readHandlesLimit(front.pid);
  const possible = Math.floor((limit - otherHandlesMax) / handlesEach);
  const count = Math.min(connectionsWanted, possible);
  if (count < connectionsWanted) {
    const needed = handlesEach * connectionsWanted + otherHandlesMax;
    say(`${connectionsWanted} connections need ${needed} open files, the limit here is ${limit}`);
  }
  const before = front.readFootprint();
  const sockets: Socket[] = [];
  try {
    while (sockets.length < count) {
      const batch = Math.min(connectionsAtOnce, count - sockets.length);
      const opening = Array.from({ length: batch }, (_, index) => open(front, index));
      sockets.push(...(await Promise.all(opening)));
    }
    const after = front.readFootprint();
    const eachKib = ((after.rssMib - before.rssMib) * 1024) / count;
    say(`${count} idle connections: ${after.rssMib.toFixed(0)} MiB, ${after.handles} handles`);
    say(`  before the first ${before.rssMib.toFixed(0)} MiB; ${eachKib.toFixed(1)} KiB each`);
    const wantedMib = after.rssMib + ((connectionsWanted - count) * eachKib) / 1024;
    if (wantedMib > rssMibMax) throw new Error(`more than ${rssMibMax} MiB`);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await pollUntil(async () => front.readFootprint().handles <= before.handles + 8 || undefined, {
    timeoutMs: settleTimeoutMs,
    intervalMs: 200,
  });
  say(
    `  after their end ${front.readFootprint().rssMib.toFixed(0)} MiB, no handle of them is left`,
  );
}

/** A connection that has signed in and had one answer. */
async function open({ doorPort, callers }: BenchFront, index: number): Promise<Socket> {
  const caller = callers[index % callers.length];
  if (!caller) throw new Error('there is no caller');
  const socket = connect(doorPort, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`AUTH ${caller.secret}\r\nPING\r\n`);
  let answer = '';
  while (answer.length < signedIn.length) {
    const [chunk] = await once(socket, 'data');
    answer += String(chunk);
  }
  if (answer !== signedIn) throw new Error(`the door answered ${JSON.stringify(answer)}`);
  return socket;
}

function readHandlesLimit(pid: number): number {
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
}
