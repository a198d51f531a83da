import test from 'ava';
import { classify } from '../../../src/gateway/command-table.ts';
import type { Command } from '../../../src/gateway/parse.ts';
import { refusedCommands } from '../../../src/gateway/refused-commands.ts';

/** Written out, so that a line lost from the table is noticed. */
const mustBeRefused = `AUTH HELLO RESET QUIT SELECT SWAPDB CLIENT MULTI EXEC DISCARD WATCH UNWATCH
  SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC REPLCONF
  ASKING READONLY READWRITE WAIT WAITAOF HIMPORT PIPELINE MULTI-EXEC`.split(/\s+/);

/** They would make others wait: never on a connection that is shared. */
const mustNotBeShared = `BLPOP BRPOP BRPOPLPUSH BLMOVE BLMOVEM BLMPOP BZPOPMIN BZPOPMAX BZMPOP`;

function refusalOf(command: Command): string | undefined {
  const classification = classify(command);
  return classification.kind === 'refused' ? classification.reason : undefined;
}

test('the table holds every command that makes no sense without a connection of its own', (t) => {
  t.deepEqual(Object.keys(refusedCommands).sort(), [...mustBeRefused, 'SCRIPT|DEBUG'].sort());
});

for (const name of mustBeRefused) {
  test(`${name} is refused whatever its arguments, and the answer says why`, (t) => {
    for (const args of [[], ['x'], [Buffer.from([0xff])], ['ID', '0']]) {
      const refusal = refusalOf({ name, args }) ?? '';
      t.true(refusal.startsWith(`ERR ${name} is not supported over HTTP: `), refusal);
    }
  });
}

for (const name of mustNotBeShared.split(' ')) {
  test(`${name} is never shared, whatever its arguments`, (t) => {
    for (const args of [[], ['x', '0'], [Buffer.from([0xff])]]) {
      t.is(classify({ name, args }).kind, 'blocking');
    }
  });
}

test('SCRIPT DEBUG is refused in any case of letters, the other SCRIPT commands are not', (t) => {
  for (const subcommand of ['DEBUG', 'debug', Buffer.from('Debug')]) {
    const refusal = refusalOf({ name: 'SCRIPT', args: [subcommand, 'YES'] }) ?? '';
    t.true(refusal.startsWith('ERR SCRIPT DEBUG is not supported over HTTP: '), refusal);
  }
  t.is(refusalOf({ name: 'SCRIPT', args: ['LOAD', 'return 1'] }), undefined);
  t.is(refusalOf({ name: 'SCRIPT', args: [] }), undefined);
});

test('ordinary commands are passed on', (t) => {
  const passed = 'GET SET DEL HGETALL LPOP EVAL FCALL PUBLISH INFO KEYS SCAN ECHO PING NOSUCH';
  for (const name of passed.split(' ')) t.is(refusalOf({ name, args: ['BLOCK'] }), undefined);
  for (const name of ['__PROTO__', 'CONSTRUCTOR', 'TOSTRING']) {
    t.is(refusalOf({ name, args: [] }), undefined);
  }
});
