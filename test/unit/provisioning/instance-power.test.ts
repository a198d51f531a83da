/** What is waited for before a run, by a server that answers as Redis does. */
import { type AddressInfo, createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createSealer } from '../../../src/lib/crypto.ts';
import { awaitLoaded } from '../../../src/provisioning/instance-power.ts';
import { passwordPlace } from '../../../src/provisioning/instance-redis.ts';
import type { Instance } from '../../../src/store/entities/instance.ts';

async function startServer(t: ExecutionContext, answers: readonly string[]) {
  let pings = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const command of String(chunk)
        .split(/\*\d+\r\n/)
        .slice(1)) {
        const isPing = /ping/i.test(command);
        socket.write(`${isPing ? answers[Math.min(pings, answers.length - 1)] : '+OK'}\r\n`);
        if (isPing) pings += 1;
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const sealer = createSealer(Buffer.alloc(32, 1));
  const id = 'inst_abcdefghijklmnop';
  const instance = {
    id,
    nodeHost: '127.0.0.1',
    nodePort: (server.address() as AddressInfo).port,
    passwordSealed: sealer.seal('secret', passwordPlace(id)),
  } as Instance;
  return { sealer, instance, pings: () => pings };
}

const loading = '-LOADING Redis is loading the dataset in memory';

test('a Redis is waited for as long as it says that it loads, with signs of life', async (t) => {
  const { sealer, instance, pings } = await startServer(t, [loading, loading, '+PONG']);
  let signs = 0;
  await awaitLoaded(sealer, instance, () => {
    signs += 1;
  });
  t.is(pings(), 3);
  t.is(signs, 2);
});

test('whatever else a Redis says is not waited for', async (t) => {
  const { sealer, instance, pings } = await startServer(t, ['-ERR no']);
  await awaitLoaded(sealer, instance, () => t.fail());
  t.is(pings(), 1);
  await awaitLoaded(sealer, { ...instance, nodePort: 1 }, () => t.fail());
});
