import { createHash } from 'node:crypto';
import test from 'ava';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { call, post, startWorld } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');
const noScript = 'NOSCRIPT No matching script. Please use EVAL.';
let scripts = 0;

/** A script that no other test has sent. */
function newScript(body = 'return {KEYS[1], ARGV[1]}'): string {
  scripts += 1;
  return `#!lua flags=allow-key-locking\n-- ${scripts} ${Math.random()}\n${body}`;
}

test.serial('a script with a flag of Upstash runs by its text and by its own SHA', async (t) => {
  const world = await startWorld(t, redis);
  const script = newScript();
  const bySha = ['EVALSHA', sha1(script), '1', 'k', 'v'];
  const unknown = await post(world, world, bySha);
  t.deepEqual([unknown.status, unknown.json.error], [400, noScript]);
  const byText = await post(world, world, ['EVAL', script, '1', 'k', 'v']);
  t.deepEqual(byText.json, { result: ['k', 'v'] });
  t.deepEqual((await post(world, world, bySha)).json, { result: ['k', 'v'] });
  await redis.admin.script('FLUSH');
  t.is((await post(world, world, bySha)).json.error, noScript);
});

test.serial('SCRIPT LOAD and EXISTS know a script by its own SHA', async (t) => {
  const world = await startWorld(t, redis);
  const script = newScript('return 7');
  const other = 'return 8';
  t.deepEqual((await post(world, world, ['SCRIPT', 'LOAD', script])).json, {
    result: sha1(script),
  });
  t.deepEqual((await post(world, world, ['SCRIPT', 'LOAD', other])).json, { result: sha1(other) });
  const exists = ['SCRIPT', 'EXISTS', sha1(script), sha1('none'), sha1(other)];
  t.deepEqual((await post(world, world, exists)).json, { result: [1, 0, 1] });
  t.deepEqual((await post(world, world, ['EVALSHA', sha1(script), 0])).json, { result: 7 });
  const loaded = await call(world, world, '/script/load', { method: 'POST', body: newScript() });
  t.regex(loaded.json.result, /^[0-9a-f]{40}$/);
});

test.serial('pipelines and transactions know it, too', async (t) => {
  const world = await startWorld(t, redis);
  for (const path of ['/pipeline', '/multi-exec']) {
    const script = newScript('return 9');
    const commands = [
      ['EVALSHA', sha1(script), 0],
      ['SCRIPT', 'LOAD', script],
      ['EVAL', script, 0],
      ['SCRIPT', 'EXISTS', sha1(script)],
    ];
    const body = JSON.stringify(commands);
    const { json } = await call(world, world, path, { method: 'POST', body });
    t.deepEqual(json, [
      { error: noScript },
      { result: sha1(script) },
      { result: 9 },
      { result: [1] },
    ]);
    const again = await call(world, world, path, {
      method: 'POST',
      body: JSON.stringify([['EVALSHA', sha1(script), 0]]),
    });
    t.deepEqual(again.json, [{ result: 9 }]);
  }
});

test.serial('wrong flags and wrong lines are told in Redis’s own words', async (t) => {
  const world = await startWorld(t, redis);
  const answer = await post(world, world, ['EVAL', '#!lua flags=no-write\nreturn 1', 0]);
  t.is(answer.status, 400);
  t.regex(answer.json.error, /Unexpected flag in script shebang: no-write/);
  const broken = await post(world, world, ['EVAL', newScript('local x =\n\nreturn )'), 0]);
  // The line is that of the script as it was sent.
  t.regex(broken.json.error, /user_script:5:/);
});

test.serial('line breaks that a script puts into an error reach no other request', async (t) => {
  const world = await startWorld(t, redis);
  const forging = [
    ['EVAL', "return redis.error_reply('x\\r\\n+FORGED')", 0],
    ['EVAL', '#!lua "flags=a\\r\\n+FORGED"\nreturn 1', 0],
    ['SCRIPT', 'LOAD', '#!lua "flags=a\\r\\n+FORGED"\nreturn 1'],
    ['FUNCTION', 'LOAD', '#!lua "name=a\\r\\n+FORGED" x\nreturn 1'],
  ];
  for (const command of forging) {
    const [, ...others] = await Promise.all([
      post(world, world, command),
      ...Array.from({ length: 20 }, (_, index) => post(world, world, ['ECHO', `${index}`])),
    ]);
    for (const [index, { status, json }] of others.entries()) {
      if (status === 200) t.is(json.result, String(index));
      else t.deepEqual([status, json.error], [500, 'Redis connection error']);
    }
    t.is((await call(world, world, '/ping')).json.result, 'PONG');
  }
});

test.serial('SCAN WITHTYPE gives the types beside the keys', async (t) => {
  const world = await startWorld(t, redis);
  await redis.admin.flushall();
  await redis.admin.mset('scan:a', '1', 'scan:withtype', '2');
  await redis.admin.hset('scan:h', 'f', 'v');
  await redis.admin.xadd('scan:x', '*', 'f', 'v');
  const types = {
    'scan:a': 'string',
    'scan:withtype': 'string',
    'scan:h': 'hash',
    'scan:x': 'stream',
  };
  const scan = ['SCAN', 0, 'MATCH', 'scan:*', 'COUNT', 1000, 'withtype'];
  t.deepEqual((await post(world, world, scan)).json.result, ['0', types]);
  const flat = await post(world, world, scan, { 'Upstash-Sync-Token': '' });
  const [cursor, pairs] = flat.json.result;
  t.is(cursor, '0');
  t.is(pairs.length, 8);
  t.deepEqual(toObject(pairs), types);
  const body = JSON.stringify([['DEL', 'scan:h'], scan, ['ECHO', 'after']]);
  const pipeline = await call(world, world, '/pipeline', { method: 'POST', body });
  const { 'scan:h': _, ...left } = types;
  t.deepEqual(pipeline.json[1].result[1], left, 'it runs after the command before it');
  t.is(pipeline.json[2].result, 'after');
  const only = await post(world, world, ['SCAN', 0, 'WITHTYPE', 'TYPE', 'stream', 'COUNT', 1000]);
  t.deepEqual(only.json.result, ['0', { 'scan:x': 'stream' }]);
  const asValue = await post(world, world, ['SCAN', 0, 'MATCH', 'WITHTYPE']);
  t.deepEqual(asValue.json.result, ['0', []]);
  t.regex((await post(world, world, ['SCAN', 'x', 'WITHTYPE'])).json.error, /^ERR invalid cursor/);
});

test.serial('SCAN WITHTYPE gives the types of more keys than are asked for at once', async (t) => {
  const world = await startWorld(t, redis);
  await redis.admin.flushall();
  const keys = Array.from({ length: 2_500 }, (_, index) => `many:${index}`);
  await redis.admin.mset(keys.flatMap((key) => [key, 'v']));
  const { json } = await post(world, world, ['SCAN', 0, 'COUNT', 10_000, 'WITHTYPE']);
  t.deepEqual(Object.keys(json.result[1]).sort(), keys.sort());
});

function toObject(pairs: string[]): Record<string, string> {
  const object: Record<string, string> = {};
  for (let at = 0; at < pairs.length; at += 2) object[pairs[at] ?? ''] = pairs[at + 1] ?? '';
  return object;
}
