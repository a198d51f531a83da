import { createHash } from 'node:crypto';
import test from 'ava';
import type { Command } from '../../../src/gateway/parse.ts';
import { bulkFrame, errorFrame } from '../../../src/gateway/redis/frames.ts';
import { restoreReply, rewriteScript } from '../../../src/gateway/script-flags.ts';

const sha1 = (text: string | Buffer): string => createHash('sha1').update(text).digest('hex');

const rewritten: readonly [string, string][] = [
  ['#!lua flags=allow-key-locking\nreturn 1', '#!lua\nreturn 1'],
  ['#!lua flags=allow-key-locking,no-writes\nreturn 1', '#!lua flags=no-writes\nreturn 1'],
  ['#!lua flags=no-writes,allow-key-locking\n\nx', '#!lua flags=no-writes\n\nx'],
  ['#!lua name=x flags=allow-key-locking\nreturn 1', '#!lua name=x\nreturn 1'],
  ['#!lua flags=allow-key-locking name=x\nreturn 1', '#!lua name=x\nreturn 1'],
  ['#!lua flags=allow-key-locking\r\nreturn 1', '#!lua\r\nreturn 1'],
  ['#!lua flags=allow-key-locking', '#!lua'],
];

for (const [source, expected] of rewritten) {
  test(`the flag is taken out of ${JSON.stringify(source)}, and nothing else`, (t) => {
    const command = (script: string | Buffer): Command => ({ name: 'EVAL', args: [script, '0'] });
    t.deepEqual(rewriteScript(command(source)), command(expected));
    t.deepEqual(rewriteScript(command(Buffer.from(source))), command(Buffer.from(expected)));
    const load = { name: 'SCRIPT', args: ['load', source] };
    t.deepEqual(rewriteScript(load), { name: 'SCRIPT', args: ['load', expected] });
    t.is(expected.split('\n').length, source.split('\n').length);
  });
}

const untouched = [
  'return 1',
  '',
  '#!lua\nreturn 1',
  '#!lua flags=no-writes\nreturn 1',
  // Redis's to refuse, in its own words.
  '#!lua flags=no-write\nreturn 1',
  '#!lua flags=allow-key-locking2\nreturn 1',
  '#!js flags=allow-key-locking\nreturn 1',
  '--\n#!lua flags=allow-key-locking\nreturn 1',
  '#!lua\n-- flags=allow-key-locking\nreturn 1',
];

for (const source of untouched) {
  test(`${JSON.stringify(source)} is sent as it came`, (t) => {
    for (const name of ['EVAL', 'EVAL_RO', 'FCALL', 'SET']) {
      const command = { name, args: [source, '0'] };
      t.is(rewriteScript(command), command);
    }
    const load = { name: 'SCRIPT', args: ['LOAD', source] };
    t.is(rewriteScript(load), load);
  });
}

test('commands for scripts without arguments are sent as they came', (t) => {
  for (const name of ['EVAL', 'EVALSHA', 'SCRIPT']) {
    for (const args of [[], ['LOAD'], ['EXISTS'], [Buffer.from([0xff])]]) {
      const command = { name, args };
      t.is(rewriteScript(command), command);
    }
  }
});

test('bytes that are no UTF-8 stay as they are beside the flag', (t) => {
  const source = Buffer.concat([
    Buffer.from('#!lua flags=allow-key-locking\nreturn "'),
    Buffer.from([0xff, 0x00, 0xc3]),
    Buffer.from('"'),
  ]);
  const [sent] = rewriteScript({ name: 'EVAL', args: [source, '0'] }).args;
  t.deepEqual(sent, Buffer.concat([Buffer.from('#!lua'), source.subarray(29)]));
});

test('a rewritten script is known by the SHA that its sender computes', (t) => {
  const source = `#!lua flags=allow-key-locking\nreturn ${Math.random()}`;
  const sent = source.replace(' flags=allow-key-locking', '');
  const bySha = (sha: string): Command => ({ name: 'EVALSHA', args: [sha, '0'] });
  const unknown = bySha(sha1(source));
  t.is(rewriteScript(unknown), unknown);
  rewriteScript({ name: 'EVAL', args: [source, '0'] });
  t.deepEqual(rewriteScript(bySha(sha1(source))), bySha(sha1(sent)));
  t.deepEqual(rewriteScript(bySha(sha1(source).toUpperCase())), bySha(sha1(sent)));
  const exists = { name: 'SCRIPT', args: ['EXISTS', 'x', sha1(source), sha1('y')] };
  t.deepEqual(rewriteScript(exists).args, ['EXISTS', 'x', sha1(sent), sha1('y')]);
});

test("SCRIPT LOAD answers the sender's SHA, an error stays Redis's own", (t) => {
  const source = '#!lua flags=allow-key-locking\nreturn 7';
  const asked = { name: 'SCRIPT', args: ['LOAD', source] };
  const sent = rewriteScript(asked);
  t.deepEqual(restoreReply(asked, sent, bulkFrame('other')), bulkFrame(sha1(source)));
  const error = errorFrame('ERR wrong');
  t.is(restoreReply(asked, sent, error), error);
  const reply = bulkFrame('x');
  t.is(restoreReply(asked, asked, reply), reply);
  const evaluation = { name: 'EVAL', args: [source, '0'] };
  t.is(restoreReply(evaluation, rewriteScript(evaluation), reply), reply);
});

test('what is remembered is bounded: the script that was unused longest is forgotten', (t) => {
  const source = (index: number): string =>
    `#!lua flags=allow-key-locking\nreturn ${index} -- bound`;
  const isKnown = (index: number): boolean => {
    const command = { name: 'EVALSHA', args: [sha1(source(index)), '0'] };
    return rewriteScript(command) !== command;
  };
  for (let index = 0; index < 10_000; index++) {
    rewriteScript({ name: 'EVAL', args: [source(index), '0'] });
  }
  t.true(isKnown(0));
  rewriteScript({ name: 'EVAL', args: [source(10_000), '0'] });
  t.true(isKnown(0));
  t.false(isKnown(1));
  t.true(isKnown(10_000));
});
