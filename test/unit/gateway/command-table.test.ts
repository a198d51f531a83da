import test from 'ava';
import { listCommands } from '../../../scripts/redis-command-list.ts';
import { classify, sharedAllTheSame } from '../../../src/gateway/command-table.ts';
import {
  containerCommands,
  flaggedCommands,
  plainCommands,
} from '../../../src/gateway/redis-commands.ts';
import { startRedisContainer } from '../../support/redis-container.ts';

function kindOf(line: string): string {
  const [name = '', ...args] = line.split(/[ |]/);
  return classify({ name, args }).kind;
}

test('the table is what the Redis of the image says of its commands', async (t) => {
  const redis = await startRedisContainer(t);
  const commands = listCommands(await redis.admin.call('COMMAND'));
  t.true(commands.length > 300, String(commands.length));
  const hint = 'the image has another Redis: run scripts/generate-command-table.ts';
  const plain = commands.filter(({ flags }) => flags.length === 0).map(({ name }) => name);
  const flagged = commands.filter(({ flags }) => flags.length > 0);
  const containers = commands.filter(({ isContainer }) => isContainer).map(({ name }) => name);
  t.deepEqual(plainCommands, plain, hint);
  t.deepEqual(
    flaggedCommands,
    flagged.map(({ name, flags }) => `${name} ${flags.join(' ')}`),
    hint,
  );
  t.deepEqual(containerCommands, containers, hint);
});

/** Written out, so that a line added to the exceptions is noticed, with what excuses it. */
const excused: Readonly<Record<string, readonly string[]>> = {
  'answers once, whoever listens': ['PUBLISH', 'SPUBLISH'],
  'only counts': [
    'PUBSUB|CHANNELS',
    'PUBSUB|NUMPAT',
    'PUBSUB|NUMSUB',
    'PUBSUB|SHARDCHANNELS',
    'PUBSUB|SHARDNUMSUB',
  ],
  'changes or tells of the server, not the connection': [
    'SCRIPT|EXISTS',
    'SCRIPT|FLUSH',
    'FUNCTION|DELETE',
    'FUNCTION|DUMP',
    'FUNCTION|FLUSH',
    'FUNCTION|LIST',
    'ACL|CAT',
    'ACL|GENPASS',
    'ACL|WHOAMI',
    'ROLE',
  ],
  'waits only with BLOCK': ['XREAD', 'XREADGROUP'],
};

test('what Redis flags is not shared, but for what is excused', (t) => {
  const names = flaggedCommands.map((line) => line.split(' ')[0] ?? '');
  const shared = names.filter((name) => kindOf(name) === 'shared');
  t.deepEqual(shared.sort(), Object.values(excused).flat().sort());
  t.is(sharedAllTheSame.trim().split(/\s+/).length, shared.length - 2);
});

test('nothing is shared that changes, watches or leaves its connection', (t) => {
  const risky = `AUTH HELLO RESET QUIT SELECT CLIENT MULTI EXEC DISCARD WATCH UNWATCH SUBSCRIBE
    PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC REPLCONF ASKING
    READONLY READWRITE WAIT WAITAOF SCRIPT|DEBUG CLIENT|REPLY CLIENT|ID CLIENT|TRACKING SWAPDB`;
  for (const name of risky.split(/\s+/)) t.is(kindOf(name), 'refused', name);
});

const kinds: Readonly<Record<string, string>> = {
  GET: 'shared',
  PING: 'shared',
  'XGROUP CREATE': 'shared',
  'xgroup create': 'own',
  'XGROUP create': 'shared',
  'XGROUP NOSUCH': 'own',
  XGROUP: 'shared',
  COMMAND: 'shared',
  'COMMAND COUNT': 'shared',
  'OBJECT ENCODING k': 'shared',
  'MEMORY USAGE k': 'shared',
  EVAL: 'script',
  EVALSHA_RO: 'script',
  FCALL: 'script',
  'SCRIPT LOAD x': 'script',
  'SCRIPT EXISTS x': 'shared',
  'SCRIPT KILL': 'own',
  'FUNCTION LOAD x': 'script',
  'FUNCTION KILL': 'own',
  'FUNCTION STATS': 'own',
  'CONFIG GET x': 'own',
  DEBUG: 'own',
  SHUTDOWN: 'own',
  MIGRATE: 'own',
  BLPOP: 'blocking',
  BZMPOP: 'blocking',
  BLMOVEM: 'blocking',
  HPEXPIRE: 'shared',
  HGETEX: 'shared',
  VADD: 'shared',
  'JSON.GET': 'own',
  'FT.SEARCH': 'own',
  'BF.ADD': 'own',
  NOSUCH: 'own',
  __PROTO__: 'own',
  CONSTRUCTOR: 'own',
  TOSTRING: 'own',
};

for (const [line, kind] of Object.entries(kinds)) {
  test(`${line} is ${kind}`, (t) => t.is(kindOf(line), kind));
}

test('a subcommand may be bytes, and an argument of megabytes is none', (t) => {
  t.is(classify({ name: 'XINFO', args: [Buffer.from('Stream'), 'k'] }).kind, 'shared');
  t.is(classify({ name: 'SCRIPT', args: [Buffer.from('Debug'), 'YES'] }).kind, 'refused');
  t.is(classify({ name: 'SCRIPT', args: [Buffer.from([0xff])] }).kind, 'own');
  t.is(classify({ name: 'OBJECT', args: ['x'.repeat(10_000_000)] }).kind, 'own');
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

for (const [line, waits] of streams) {
  test(`${line} ${waits ? 'waits on a connection of its own' : 'is shared'}`, (t) => {
    t.is(kindOf(line), waits ? 'blocking' : 'shared');
  });
}
