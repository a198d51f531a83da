import test from 'ava';
import { KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { addInstance, call, sendRaw, startHarness } from './harness.ts';
import { malformedRequests } from './malformed-requests.ts';

// Nothing here reaches a Redis: the recorded port is closed.

const noKey = { status: 401, text: '{"error":"Authentication required"}' };
const badKey = { status: 401, text: '{"error":"Invalid authentication token"}' };
const notFound = { status: 404, text: '{"error":"Redis instance not found"}' };
const unreachable = { status: 500, text: '{"error":"Redis connection error"}' };

test('every way to present a key has its one answer', async (t) => {
  const harness = await startHarness(t, { breakerFailuresMax: 100 });
  const mine = await addInstance(harness);
  const other = await addInstance(harness);
  const unknown = `sc_live_${'0'.repeat(32)}`;
  const at = (id: string, query = ''): string => `${harness.baseUrl}/redis/${id}/get/k${query}`;
  const { secret } = mine;
  const table: [string, string, string | undefined, typeof noKey][] = [
    ['no key', at(mine.instanceId), undefined, noKey],
    ['an empty token', at(mine.instanceId, '?_token='), undefined, noKey],
    ['a bare token', at(mine.instanceId, '?_token'), undefined, noKey],
    ['a malformed token', at(mine.instanceId, '?_token=x'), undefined, badKey],
    ['a token that is no percent-encoding', at(mine.instanceId, '?_token=%'), undefined, badKey],
    ['an unknown token', at(mine.instanceId, `?_token=${unknown}`), undefined, badKey],
    ['a scheme without a key', at(mine.instanceId), 'Bearer', badKey],
    ['another scheme', at(mine.instanceId), `Basic ${secret}`, badKey],
    ['a key without a scheme', at(mine.instanceId), secret, badKey],
    ['a malformed key', at(mine.instanceId), 'Bearer x', badKey],
    ['a key that goes on', at(mine.instanceId), `Bearer ${secret}0`, badKey],
    ['a key in capitals', at(mine.instanceId), `Bearer ${secret.toUpperCase()}`, badKey],
    ['an account key', at(mine.instanceId), `Bearer sk_live_${'0'.repeat(48)}`, badKey],
    ['an unknown key', at(mine.instanceId), `Bearer ${unknown}`, badKey],
    ['an unknown key at no instance', at('nope'), `Bearer ${unknown}`, badKey],
    ['a wrong header before a right token', at(mine.instanceId, `?_token=${secret}`), 'x', badKey],
    ['somebody else’s instance', at(other.instanceId), `Bearer ${secret}`, notFound],
    ['no such instance', at('inst_aaaaaaaaaaaaaaaa'), `Bearer ${secret}`, notFound],
    ['no instance at all', at(''), `Bearer ${secret}`, notFound],
    ['an id in another encoding', at('%69nst'), `Bearer ${secret}`, notFound],
    ['a right header', at(mine.instanceId), `Bearer ${secret}`, unreachable],
    ['a right header, oddly written', at(mine.instanceId), `bearer   ${secret}`, unreachable],
    ['a right token', at(mine.instanceId, `?_token=${secret}`), undefined, unreachable],
    [
      'a right header before a wrong token',
      at(mine.instanceId, '?_token=x'),
      `Bearer ${secret}`,
      unreachable,
    ],
  ];
  for (const [name, url, authorization, expected] of table) {
    const response = await fetch(url, { headers: authorization ? { authorization } : {} });
    const text = await response.text();
    t.deepEqual({ status: response.status, text }, expected, name);
    t.is(response.headers.get('cache-control'), 'no-store', name);
    t.is(response.headers.get('referrer-policy'), 'no-referrer', name);
    t.is(response.headers.get('content-type'), 'application/json; charset=utf-8', name);
  }
  t.false(harness.log().includes(secret.slice(12)));
});

test('malformed requests get a 4xx over HTTP, and none of them a 500', async (t) => {
  const harness = await startHarness(t);
  const bound = await addInstance(harness);
  for (const [url, body] of malformedRequests) {
    const path = url.slice('/redis/i'.length);
    const init: RequestInit = body === undefined ? {} : { method: 'POST', body: body as string };
    const answer = await call(harness, bound, path, init);
    t.is(answer.status, 400, `${url} ${String(body).slice(0, 30)}`);
    t.deepEqual(Object.keys(answer.json), ['error']);
  }
});

test('request targets that no URL parser would take get a clear answer, too', async (t) => {
  const harness = await startHarness(t);
  const { instanceId, secret } = await addInstance(harness);
  const base = `/redis/${instanceId}`;
  const targets: [string, number][] = [
    [`${base}/get/%`, 400],
    [`${base}/get/a#%zz`, 400],
    [`${base}/get/"<>\\^{}|`, 500],
    [`http://[::/redis/${instanceId}/get/%1`, 400],
    [`${base}/../../get`, 500],
    ['/redis/', 404],
    ['/redis//', 404],
    ['/redis/?', 404],
    ['/redis/%/get', 404],
    [`/redis/${instanceId}%00/get/k`, 404],
  ];
  for (const [path, status] of targets) {
    const head = `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\n`;
    const answer = await sendRaw(
      harness.port,
      Buffer.from(`${head}Connection: close\r\n\r\n`, 'latin1'),
    );
    t.is(answer.status, status, path);
    // 500 is the closed port here: the request itself was understood.
    if (status === 500) t.true(answer.body.includes('Redis connection error'), path);
  }
});

test('methods other than GET, HEAD, POST and PUT are refused with the list of these', async (t) => {
  const harness = await startHarness(t);
  const bound = await addInstance(harness);
  for (const method of ['DELETE', 'PATCH', 'OPTIONS']) {
    const answer = await call(harness, bound, '/get/k', { method });
    t.is(answer.status, 405);
    t.is(answer.headers.get('allow'), 'GET, HEAD, POST, PUT');
    t.truthy(answer.json.error);
  }
});

test('a body over 10 MB is a 413 that names the limit, announced or not', async (t) => {
  const harness = await startHarness(t);
  const bound = await addInstance(harness);
  const big = Buffer.alloc(10 * 1024 * 1024 + 1, 0x61);
  const chunked = new ReadableStream({
    start(controller) {
      for (let at = 0; at < big.length; at += 1 << 20) {
        controller.enqueue(big.subarray(at, at + (1 << 20)));
      }
      controller.close();
    },
  });
  const bodies = [{ body: big }, { body: chunked, duplex: 'half' }];
  for (const body of bodies) {
    const answer = await call(harness, bound, '/set/k', { method: 'POST', ...body } as RequestInit);
    t.is(answer.status, 413);
    t.regex(answer.json.error, /10485760 bytes/);
  }
});

test('a connection is usable after a body that was too big, whichever way it came', async (t) => {
  const harness = await startHarness(t);
  const { instanceId, secret } = await addInstance(harness);
  const start = (method: string, path: string): string =>
    `${method} /redis/${instanceId}${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\n`;
  const body = 'a'.repeat(11 * 1024 * 1024);
  const next = `${start('GET', '/get/%')}Connection: close\r\n\r\n`;
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  for (const upload of [
    `Content-Length: ${body.length}\r\n\r\n${body}`,
    `Transfer-Encoding: chunked\r\n\r\n${chunk}`,
  ]) {
    const answer = await sendRaw(harness.port, `${start('POST', '/set/k')}${upload}${next}`);
    t.is(answer.status, 413);
    t.regex(answer.body, /HTTP\/1\.1 400 Bad Request/);
  }
});

test('an instance that is not RUNNING is a 503 that says its status', async (t) => {
  const harness = await startHarness(t);
  for (const status of ['PROVISIONING', 'FAILED', 'DELETING'] as const) {
    const answer = await call(harness, await addInstance(harness, { status }), '/get/k');
    t.is(answer.status, 503);
    t.is(answer.text, `{"error":"Redis instance is ${status}"}`);
    t.is(answer.headers.get('retry-after'), '1');
  }
});

test('an instance that becomes RUNNING, and a key just bound, are seen at once', async (t) => {
  const harness = await startHarness(t);
  const first = await addInstance(harness);
  const second = await addInstance(harness, { status: 'PROVISIONING' });
  const { secret, key } = first;
  const { instanceId } = second;
  t.is((await call(harness, first, '/get/k')).status, 500);
  t.is((await call(harness, { instanceId, secret }, '/get/k')).status, 404);
  const em = harness.orm.em.fork();
  em.create(KeyBindingEntity, { instanceId, keyId: key.id, createdAt: new Date() });
  await em.flush();
  t.is((await call(harness, { instanceId, secret }, '/get/k')).status, 503);
  await em.nativeUpdate(InstanceEntity, { id: instanceId }, { status: 'RUNNING' });
  t.is((await call(harness, { instanceId, secret }, '/get/k')).status, 500);
});

test('paths outside /redis/ are passed on', async (t) => {
  const { baseUrl } = await startHarness(t);
  for (const path of ['/', '/redis', '/redisx/a', '/api/redis/a/get/k']) {
    t.is(await (await fetch(`${baseUrl}${path}`)).text(), 'not the gateway');
  }
});

test('a broken database is a 500 that tells nothing', async (t) => {
  const harness = await startHarness(t);
  const bound = await addInstance(harness);
  await harness.orm.em.getConnection().execute('drop table data_keys');
  const answer = await call(harness, bound, '/get/k');
  t.is(answer.status, 500);
  t.is(answer.text, '{"error":"Internal error"}');
  t.notRegex(harness.log(), /no such table|select/i);
  t.regex(harness.log(), /"detail":"\w+ at /);
  t.false(harness.log().includes(bound.key.secretHash));
});
