/** What becomes of large answers that nobody reads. */
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { defaultUnreadBounds, type UnreadBounds } from '../../../src/gateway/unread.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addInstance, call, signUp, startWorld, type World } from './harness.ts';

const patience = { timeoutMs: 60_000, intervalMs: 20 };
const mib = 1024 * 1024;

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
  await redis.admin.set('big', 'x'.repeat(16 * mib));
});
test.after.always(async () => await redis?.remove());

/** Sends so many requests for a large value on one connection, and reads no byte of an answer. */
function askWithoutReading(t: ExecutionContext, world: World, count: number): Socket {
  const { port, instanceId, secret } = world;
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  t.teardown(() => socket.destroy());
  const head = `GET /redis/${instanceId}/get/big HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\n\r\n`;
  socket.pause();
  socket.write(head.repeat(count));
  return socket;
}

const statusOf = async (world: World): Promise<number> =>
  (await call(world, world, '/ping')).status;

async function waitForStatus(world: World, status: number): Promise<void> {
  await pollUntil(async () => (await statusOf(world)) === status || undefined, patience);
}

function boundsOf(changes: Partial<UnreadBounds>): UnreadBounds {
  return { ...defaultUnreadBounds, takenWithinMs: 600_000, ...changes };
}

test.serial('a key whose answers are not read is refused, and others are served', async (t) => {
  const unreadBounds = boundsOf({ keyBytesMax: 8 * mib });
  const world = await startWorld(t, redis, { unreadBounds });
  const other = await addInstance(world, { port: redis.port });
  await signUp(redis, other);
  const socket = askWithoutReading(t, world, 1);
  await waitForStatus(world, 503);
  const refused = await call(world, world, '/set/written/x');
  t.is(refused.headers.get('retry-after'), '1');
  t.is(await redis.admin.exists('written'), 0);
  t.is((await call(world, other, '/ping')).status, 200);
  socket.resume();
  await waitForStatus(world, 200);
});

test.serial(
  'beyond what all may hold, everybody is refused until somebody reads or leaves',
  async (t) => {
    const unreadBounds = boundsOf({ bytesMax: 24 * mib });
    const world = await startWorld(t, redis, { unreadBounds });
    // The second answer stands behind the first, on no connection yet.
    const socket = askWithoutReading(t, world, 2);
    await waitForStatus(world, 503);
    socket.destroy();
    await waitForStatus(world, 200);
    t.pass();
  },
);

test.serial('answers that had begun are not kept without a bound', async (t) => {
  const unreadBounds = boundsOf({ keyBytesMax: 24 * mib, excessMax: 2 });
  const world = await startWorld(t, redis, { unreadBounds });
  const socket = askWithoutReading(t, world, 6);
  const isCut = new Promise((resolve) => socket.once('close', resolve));
  await waitForStatus(world, 200);
  socket.resume();
  await isCut;
  t.true(socket.bytesRead < 48 * mib, String(socket.bytesRead));
});

test.serial('an answer that is not taken in its time is cut', async (t) => {
  const unreadBounds = boundsOf({
    ...{ keyBytesMax: 8 * mib, takenWithinMs: 500, bytesPerSecondMin: 1024 * mib },
  });
  const world = await startWorld(t, redis, { unreadBounds });
  const socket = askWithoutReading(t, world, 1);
  await waitForStatus(world, 503);
  await waitForStatus(world, 200);
  const isCut = new Promise((resolve) => socket.once('close', resolve));
  socket.resume();
  await isCut;
  t.true(socket.bytesRead < 16 * mib, String(socket.bytesRead));
});

test.serial(
  'requests at once on one connection are bounded, and what is beyond is not run',
  async (t) => {
    const world = await startWorld(t, redis);
    await redis.admin.del('counter');
    const { port, instanceId, secret } = world;
    // Far more than come in one piece, however the network cuts them.
    const count = 1_000;
    const head = `HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\n`;
    const one = `GET /redis/${instanceId}/incr/counter ${head}\r\n`;
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    t.teardown(() => socket.destroy());
    socket.write(one.repeat(count));
    const statuses = await pollUntil(async () => {
      const found = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
      return found.length === count ? found : undefined;
    }, patience);
    const served = statuses.filter((status) => status === '200').length;
    t.true(served >= 128 && served < count, String(served));
    t.is(statuses.filter((status) => status === '503').length, count - served);
    t.is(await redis.admin.get('counter'), String(served));
  },
);
