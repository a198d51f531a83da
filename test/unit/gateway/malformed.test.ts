import { connect } from 'node:net';
import test from 'ava';
import { startRedisContainer } from '../../support/redis-container.ts';
import { call, startWorld } from './harness.ts';
import { listMalformedExchanges } from './malformed-exchanges.ts';

test('every malformed request gets the status that says so, and never a 500', async (t) => {
  t.timeout(10 * 60_000);
  const redis = await startRedisContainer(t);
  const world = await startWorld(t, redis);
  await call(world, world, '/set/k/text');
  const exchanges = listMalformedExchanges(world);
  t.true(exchanges.length >= 250, String(exchanges.length));
  const wrong: string[] = [];
  for (const { what, bytes, statuses } of exchanges) {
    const { status, body } = await exchange(world.port, bytes);
    if (!statuses.includes(status) || !isClear(body)) wrong.push(`${what}: ${status} ${body}`);
  }
  t.deepEqual(wrong, []);
  t.log(`${exchanges.length} requests`);
  t.deepEqual((await call(world, world, '/ping')).json, { result: 'PONG' });
});

/** In words and nothing but words; what is no HTTP is refused by the server itself, which has none. */
function isClear(body: string): boolean {
  if (body === '' || body === '0\r\n\r\n') return true;
  const { error } = JSON.parse(body);
  return (
    typeof error === 'string' && error !== '' && !/\bat \S+:\d|node:|\/src\/|\[object/.test(error)
  );
}

/** Sends bytes and no more; gives the first answer, or what came of it before the connection's end. */
async function exchange(port: number, bytes: Buffer): Promise<{ status: number; body: string }> {
  const socket = connect(port, '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = '';
  let body = '';
  socket.setEncoding('utf8').on('error', () => {});
  socket.once('close', () => resolve());
  socket.on('data', (chunk) => {
    text += chunk;
    const headEnd = text.indexOf('\r\n\r\n');
    const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0);
    body = headEnd < 0 ? '' : text.slice(headEnd + 4);
    if (headEnd >= 0 && Buffer.byteLength(body) >= length) resolve();
  });
  socket.write(bytes);
  await promise;
  socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]), body };
}
