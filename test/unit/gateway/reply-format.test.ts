import test from 'ava';
import { readReplyFormat } from '../../../src/gateway/reply-format.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { call, post, startWorld, type World } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

const raw = { 'Upstash-Response-Format': 'resp2' };

async function fetchBytes(world: World, path: string, commands: unknown) {
  const headers = { Authorization: `Bearer ${world.secret}`, ...raw };
  const url = `${world.baseUrl}/redis/${world.instanceId}${path}`;
  const body = JSON.stringify(commands);
  const response = await fetch(url, { method: 'POST', headers, body });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, type: response.headers.get('content-type'), bytes };
}

test('any Upstash header asks for flat shapes, none for the documented ones', (t) => {
  t.deepEqual(readReplyFormat({}), { protocol: 3, base64: false, raw: false });
  t.deepEqual(readReplyFormat({ accept: 'upstash-encoding' }).protocol, 3);
  for (const name of ['upstash-sync-token', 'upstash-telemetry-sdk', 'upstash-anything']) {
    t.deepEqual(readReplyFormat({ [name]: '' }), { protocol: 2, base64: false, raw: false });
  }
  t.true(readReplyFormat({ 'upstash-encoding': 'Base64' }).base64);
  t.false(readReplyFormat({ 'upstash-encoding': 'other' }).base64);
  t.true(readReplyFormat({ 'upstash-response-format': 'RESP2' }).raw);
});

test('a response format that is none is a 400, also beside base64, but not for transactions', async (t) => {
  const world = await startWorld(t, redis);
  const wrong = [
    { 'Upstash-Response-Format': 'resp3' },
    { 'Upstash-Response-Format': 'json' },
    { ...raw, 'Upstash-Encoding': 'base64' },
  ];
  for (const headers of wrong) {
    const answer = await post(world, world, ['SET', 'rf:x', '1'], headers);
    t.is(answer.status, 400);
    t.regex(answer.json.error, /^ERR Upstash-/);
    const body = JSON.stringify([['ECHO', 'a']]);
    const transaction = { method: 'POST', body, headers };
    t.is((await call(world, world, '/multi-exec', transaction)).status, 200);
  }
  t.is(await redis.admin.get('rf:x'), null);
});

test('in the raw form replies are the bytes that Redis sent', async (t) => {
  const world = await startWorld(t, redis);
  const value = Buffer.from([0xff, 0x00, 0x0d, 0x0a]);
  await redis.admin.set('rf:bin', value);
  await redis.admin.hset('rf:h', 'f', 'v');
  const one = await fetchBytes(world, '', ['GET', 'rf:bin']);
  t.deepEqual([one.status, one.type], [200, 'application/octet-stream']);
  t.deepEqual(one.bytes, Buffer.concat([Buffer.from('$4\r\n'), value, Buffer.from('\r\n')]));
  const failed = await fetchBytes(world, '', ['INCR', 'rf:bin']);
  t.is(failed.status, 400);
  t.is(failed.type, 'application/octet-stream');
  t.is(String(failed.bytes), '-ERR value is not an integer or out of range\r\n');
  const many = await fetchBytes(world, '/pipeline', [
    ['PING'],
    ['HGETALL', 'rf:h'],
    ['GET', 'rf:none'],
    ['SELECT', '1'],
    ['NOSUCH'],
    ['ECHO', 'é'],
  ]);
  t.is(many.status, 200);
  const lines = String(many.bytes).split('\r\n');
  t.deepEqual(lines.slice(0, 7), ['+PONG', '*2', '$1', 'f', '$1', 'v', '$-1']);
  t.regex(lines[7] ?? '', /^-ERR SELECT is not supported over HTTP: /);
  t.regex(lines[8] ?? '', /^-ERR unknown command 'NOSUCH'/);
  t.deepEqual(lines.slice(9), ['$2', 'é', '']);
  const transaction = await fetchBytes(world, '/multi-exec', [['PING']]);
  t.is(String(transaction.bytes), '[{"result":"PONG"}]');
});

test('answers to Upstash’s clients have a sync token that changes, others have none', async (t) => {
  const world = await startWorld(t, redis);
  const tokens = new Set<string | null>();
  for (let index = 0; index < 20; index++) {
    const headers = { 'Upstash-Sync-Token': [...tokens].at(-1) ?? '' };
    const answer = await post(world, world, ['INCR', 'rf:n'], headers);
    const token = answer.headers.get('upstash-sync-token');
    t.regex(token ?? '', /^\S+$/);
    tokens.add(token);
  }
  t.is(tokens.size, 20);
  const plain = await post(world, world, ['INCR', 'rf:n']);
  t.is(plain.headers.get('upstash-sync-token'), null);
});
