import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { addInstance, type Harness, startHarness } from './harness.ts';

// Nothing here reaches a Redis: the recorded port is closed, and a command that is let through says so.

type Bound = Awaited<ReturnType<typeof addInstance>>;

/** Sends the headers of a command, does something, and only then sends the body; gives the status. */
async function sendSlowly(
  { port }: Harness,
  { instanceId, secret }: Bound,
  meanwhile: () => Promise<unknown>,
): Promise<number> {
  const body = '["SET","k","v"]';
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const head = [
    `POST /redis/${instanceId} HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${secret}`,
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await sleep(300);
  await meanwhile();
  socket.write(body);
  await once(socket, 'close');
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(Buffer.concat(chunks).toString())?.[1]);
}

test('what has changed of a key while a body arrives holds for its command', async (t) => {
  const harness = await startHarness(t);
  const { gateway, orm } = harness;
  const changes: [string, number, (bound: Bound) => Promise<unknown>][] = [
    ['nothing', 500, async () => {}],
    [
      'a narrower whitelist',
      403,
      async ({ key: { id } }) => {
        await orm.em.fork().nativeUpdate(DataKeyEntity, { id }, { ipWhitelist: ['192.0.2.1'] });
        gateway.dropKey(id);
      },
    ],
    [
      'an unbound key',
      404,
      async ({ key, instanceId }) => {
        await orm.em.fork().nativeDelete(KeyBindingEntity, { keyId: key.id });
        gateway.dropKey(key.id, instanceId);
      },
    ],
    [
      'a removed key',
      401,
      async ({ key: { id } }) => {
        await orm.em.fork().nativeDelete(KeyBindingEntity, { keyId: id });
        await orm.em.fork().nativeDelete(DataKeyEntity, { id });
        gateway.dropKey(id);
      },
    ],
    [
      'a stopped instance',
      503,
      async ({ instanceId: id }) => {
        await orm.em.fork().nativeUpdate(InstanceEntity, { id }, { status: 'STOPPED' });
        gateway.dropInstance(id);
      },
    ],
  ];
  for (const [name, status, change] of changes) {
    const bound = await addInstance(harness);
    t.is(await sendSlowly(harness, bound, () => change(bound)), status, name);
  }
});
