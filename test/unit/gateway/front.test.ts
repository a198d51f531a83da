/** What the gateway does of HTTP itself: ids, lengths, connections, its stop. */
import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { addInstance, call, post, sendRaw, startHarness, startWorld } from './harness.ts';
import { createRawCaller } from './raw-caller.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

test('an answer has the id that its caller gave, where that is harmless', async (t) => {
  const harness = await startHarness(t);
  const ids: [string, RegExp][] = [
    ['mine-1.2_3', /^mine-1\.2_3$/],
    ['x'.repeat(65), /^req_[a-z2-7]{16}$/],
    ['a b', /^req_[a-z2-7]{16}$/],
    ['', /^req_[a-z2-7]{16}$/],
  ];
  for (const [id, expected] of ids) {
    const response = await fetch(`${harness.baseUrl}/redis/inst_x/get/k`, {
      headers: { 'X-Request-Id': id },
    });
    t.is(response.status, 401);
    t.regex(response.headers.get('x-request-id') ?? '', expected, id);
    t.is(response.headers.get('x-content-type-options'), 'nosniff');
    t.is(Number(response.headers.get('content-length')), (await response.text()).length);
  }
});

test('the address that a key is used from is believed behind as many proxies as are configured', async (t) => {
  const harness = await startHarness(t, {}, { proxyHops: 1 });
  const bound = await addInstance(harness);
  await harness.orm.em
    .getConnection()
    .execute(`update data_keys set ip_whitelist = '["203.0.113.0/24"]'`);
  const from = async (forwarded: string): Promise<number> =>
    (await call(harness, bound, '/%', { headers: { 'X-Forwarded-For': forwarded } })).status;
  t.is(await from('203.0.113.9'), 400);
  t.is(await from('198.51.100.1, 203.0.113.9'), 400);
  t.is(await from('203.0.113.9, 198.51.100.1'), 403);
  t.is(await from('::ffff:203.0.113.9'), 400);
  t.is(await from(''), 403);
});

test.serial('the length of a HEAD is what a GET has, and no byte follows', async (t) => {
  const world = await startWorld(t, redis);
  await redis.admin.set('k', 'é');
  const head = await call(world, world, '/get/k', { method: 'HEAD' });
  t.is(head.headers.get('content-length'), String(Buffer.byteLength('{"result":"é"}')));
  const raw = await sendRaw(
    world.port,
    `HEAD /redis/${world.instanceId}/get/k HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${world.secret}\r\nConnection: close\r\n\r\n`,
  );
  t.deepEqual([raw.status, raw.body], [200, '']);
});

test.serial('requests that are sent without waiting get their answers in order', async (t) => {
  const world = await startWorld(t, redis);
  const count = 100;
  const requests = Array.from({ length: count }, (_, index) => {
    const last = index === count - 1 ? 'Connection: close\r\n' : '';
    return `GET /redis/${world.instanceId}/echo/n${index}x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${world.secret}\r\n${last}\r\n`;
  });
  const { body } = await sendRaw(world.port, requests.join(''));
  const said = [...body.matchAll(/"result":"n(\d+)x"/g)].map(([, index]) => Number(index));
  t.deepEqual(said, [...Array(count).keys()]);
});

test.serial(
  'requests that are sent without waiting run in their order, with and without bodies',
  async (t) => {
    const world = await startWorld(t, redis);
    const { instanceId, secret } = world;
    const head = `HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\n`;
    const get = `GET /redis/${instanceId}/get/order ${head}\r\n`;
    const set = (value: string): string =>
      `POST /redis/${instanceId}/set/order ${head}Content-Length: 1\r\n\r\n${value}`;
    // A key that is known is not asked about, so the second request would begin at once.
    await call(world, world, '/ping');
    const caller = createRawCaller(world.port);
    const answers = await caller.send(set('a'), get, set('b'), set('c'), get, get);
    caller.close();
    const bodies = answers.map(({ body }) => JSON.parse(String(body)).result);
    t.deepEqual(bodies, ['OK', 'a', 'OK', 'OK', 'c', 'c']);
  },
);

test.serial('a path prefix is taken off, and what comes without it works as well', async (t) => {
  const world = await startWorld(t, redis);
  const { baseUrl, instanceId, secret } = world;
  const headers = { Authorization: `Bearer ${secret}` };
  for (const prefix of ['', '/prefix']) {
    const response = await fetch(`${baseUrl}${prefix}/redis/${instanceId}/echo/x`, { headers });
    t.deepEqual(await response.json(), { result: 'x' });
    const other = await fetch(`${baseUrl}${prefix}/healthz`);
    t.is(await other.text(), 'not the gateway');
  }
  const absolute = `GET http://h/prefix/redis/${instanceId}/echo/x HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${secret}\r\nConnection: close\r\n\r\n`;
  t.regex((await sendRaw(world.port, absolute)).body, /"result":"x"/);
  const twice = await fetch(`${baseUrl}/prefix/prefix/redis/${instanceId}/echo/x`, { headers });
  t.is(await twice.text(), 'not the gateway');
});

test.serial(
  'large answers are compressed where that is configured and the client takes it',
  async (t) => {
    for (const compression of [true, false]) {
      const world = await startWorld(t, redis, { settings: { compression } });
      const value = 'value '.repeat(20_000);
      await post(world, world, ['SET', 'big', value]);
      const plain = await getRaw(world, 'gzip;q=0, identity');
      t.is(plain.encoding, undefined);
      const zipped = await getRaw(world, 'br, gzip');
      t.is(zipped.encoding, compression ? 'gzip' : undefined);
      const text = compression ? gunzipSync(zipped.body) : zipped.body;
      t.is(zipped.length, zipped.body.length);
      t.is(JSON.parse(String(text)).result, value);
      await post(world, world, ['SET', 'big', 'small']);
      t.is((await getRaw(world, 'gzip')).encoding, undefined);
    }
  },
);

test.serial('a stop answers what is under way and refuses what comes then', async (t) => {
  const world = await startWorld(t, redis);
  const waiting = post(world, world, ['BLPOP', 'never', '0.5']);
  // It is under way once Redis knows of it.
  while (!/blocked_clients:1\r/.test(await redis.admin.info('clients')));
  const under = post(world, world, ['EVAL', 'return ARGV[1]', '0', 'x'.repeat(100)]);
  await under;
  const closing = world.gateway.close();
  const late = await call(world, world, '/ping');
  t.is(late.status, 503);
  t.is(late.headers.get('connection'), 'close');
  const { status } = await waiting;
  t.true([200, 503].includes(status), `${status}`);
  await closing;
  t.is((await call(world, world, '/ping')).status, 503);
});

interface Raw {
  readonly encoding: string | undefined;
  readonly length: number;
  readonly body: Buffer;
}

/** fetch would take the compression off. */
function getRaw(
  { port, instanceId, secret }: { port: number; instanceId: string; secret: string },
  encoding: string,
): Promise<Raw> {
  const { promise, resolve, reject } = Promise.withResolvers<Raw>();
  const headers = { Authorization: `Bearer ${secret}`, 'Accept-Encoding': encoding };
  const path = `/redis/${instanceId}/get/big`;
  request({ port, host: '127.0.0.1', path, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk) => chunks.push(chunk));
    response.on('end', () => {
      const { 'content-encoding': used, 'content-length': length } = response.headers;
      resolve({ encoding: used, length: Number(length), body: Buffer.concat(chunks) });
    });
  })
    .on('error', reject)
    .end();
  return promise;
}
