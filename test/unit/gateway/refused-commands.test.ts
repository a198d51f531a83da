import test from 'ava';
import { findRefusal, refusedCommands } from '../../../src/gateway/refused-commands.ts';

/** Written out, so that a line lost from the table is noticed. */
const mustBeRefused = `AUTH HELLO RESET QUIT SELECT SWAPDB CLIENT MULTI EXEC DISCARD WATCH UNWATCH
  SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC REPLCONF
  ASKING READONLY READWRITE WAIT WAITAOF BLPOP BRPOP BRPOPLPUSH BLMOVE BLMOVEM BLMPOP BZPOPMIN
  BZPOPMAX BZMPOP HIMPORT PIPELINE MULTI-EXEC`.split(/\s+/);

test('the table holds every command that a shared connection cannot carry', (t) => {
  t.deepEqual(Object.keys(refusedCommands).sort(), [...mustBeRefused, 'SCRIPT DEBUG'].sort());
});

for (const name of mustBeRefused) {
  test(`${name} is refused whatever its arguments, and the answer says why`, (t) => {
    for (const args of [[], ['x'], [Buffer.from([0xff])], ['ID', '0']]) {
      const refusal = findRefusal({ name, args }) ?? '';
      t.true(refusal.startsWith(`ERR ${name} is not supported over HTTP: `), refusal);
    }
  });
}

test('SCRIPT DEBUG is refused in any case of letters, the other SCRIPT commands are not', (t) => {
  for (const subcommand of ['DEBUG', 'debug', Buffer.from('Debug')]) {
    t.regex(findRefusal({ name: 'SCRIPT', args: [subcommand, 'YES'] }) ?? '', /not supported/);
  }
  t.is(findRefusal({ name: 'SCRIPT', args: ['LOAD', 'return 1'] }), undefined);
  t.is(findRefusal({ name: 'SCRIPT', args: [] }), undefined);
});

const streams: readonly [string, boolean][] = [
  ['XREAD BLOCK 0 STREAMS s $', true],
  ['XREAD block 0 STREAMS s $', true],
  ['XREAD COUNT 2 BLOCK 0 STREAMS s $', true],
  ['XREAD UNKNOWN BLOCK 0 STREAMS s $', true],
  ['XREADGROUP GROUP g c BLOCK 0 STREAMS s >', true],
  ['XREADGROUP GROUP g c NOACK COUNT 1 BLOCK 0 STREAMS s >', true],
  ['XREADGROUP BLOCK 0 GROUP STREAMS c STREAMS s >', true],
  ['XREADGROUP GROUP STREAMS STREAMS BLOCK 0 STREAMS s >', true],
  ['XREADGROUP GROUP g c CLAIM 10 BLOCK 0 STREAMS s >', true],
  ['XREAD STREAMS s 0', false],
  ['XREAD COUNT 2 STREAMS BLOCK 0', false],
  ['XREAD STREAMS BLOCK BLOCK 0 0', false],
  ['XREADGROUP GROUP BLOCK BLOCK STREAMS s >', false],
  ['XREADGROUP GROUP g BLOCK COUNT 1 STREAMS s >', false],
  ['XREAD', false],
  ['XADD s * BLOCK 0', false],
];

for (const [line, refused] of streams) {
  test(`${line} is ${refused ? 'refused' : 'passed on'}`, (t) => {
    const [name = '', ...args] = line.split(' ');
    t.is(findRefusal({ name, args }) !== undefined, refused);
  });
}

test('ordinary commands are passed on', (t) => {
  const passed = 'GET SET DEL HGETALL LPOP EVAL FCALL PUBLISH INFO KEYS SCAN ECHO PING NOSUCH';
  for (const name of passed.split(' ')) t.is(findRefusal({ name, args: ['BLOCK'] }), undefined);
  for (const name of ['__PROTO__', 'CONSTRUCTOR', 'TOSTRING']) {
    t.is(findRefusal({ name, args: [] }), undefined);
  }
});
