/**
 * Commands as a tenant may send them, by chance: allowed and forbidden ones, well and badly formed. What
 * they answer depends on the stream alone: nothing here reads a clock, chance, another stream's keys, or
 * what belongs to the connection (CLIENT ID, CLIENT INFO and CLIENT LIST tell addresses, which differ by
 * design). Orders of hash tables are left out too: each Redis has its own.
 */
import type { Chance } from './random.ts';

type Argument = string | Buffer;
export type Command = readonly Argument[];

/** What the commands of one stream share. */
export interface Scene {
  /** Before every key and channel, so that no other stream touches them. */
  readonly prefix: string;
  readonly keyId: string;
  readonly secret: string;
  /** Of another key of the same instance. */
  readonly otherKeyId: string;
  readonly otherSecret: string;
  /**
   * Whether the stream ends by closing its side: then its replies must fit into one write of Redis, and
   * nothing may wait, because Redis drops a client that has gone with what it has not done yet.
   */
  readonly isSmall: boolean;
}

/** A script whose reply is of 10 MB. */
export const bigReply = `return ('x'):rep(${10 * 1024 * 1024})`;
const largeBytes = 200 * 1024;

/** One command, or some that belong together. */
export function randomCommands(chance: Chance, scene: Scene): Command[] {
  if (!scene.isSmall && chance.oneIn(2_000)) return [['EVAL', bigReply, '0']];
  if (!scene.isSmall && chance.oneIn(60)) return large(chance, scene);
  const kind = !scene.isSmall && chance.oneIn(20) ? wholesome : chance.pick(kinds);
  return kind(chance, scene);
}

/** A value or key: mostly short, of any bytes now and then. */
function argument(chance: Chance): Argument {
  if (chance.oneIn(4)) return chance.bytes(chance.below(40));
  return chance.pick([
    '',
    'a',
    '7',
    '-1',
    '3.5',
    'two words',
    'ключ',
    '\r\n',
    '*1\r\n$4\r\nPING\r\n',
  ]);
}

function key(chance: Chance, { prefix }: Scene): string {
  return `${prefix}${chance.pick(['s', 'l', 'h', 'z', 'n', 'x'])}`;
}

function large(chance: Chance, scene: Scene): Command[] {
  const name = key(chance, scene);
  const value = chance.bytes(1).toString('latin1').repeat(largeBytes);
  return [
    ['SET', name, Buffer.from(value, 'latin1')],
    ['GET', name],
    ['GETRANGE', name, '10', '-10'],
  ];
}

type Kind = (chance: Chance, scene: Scene) => Command[];

const strings: Kind = (chance, scene) => {
  const [one, other] = [key(chance, scene), key(chance, scene)];
  return chance.pick<Command[]>([
    [['SET', one, argument(chance)]],
    [['SET', one, argument(chance), chance.pick(['NX', 'XX', 'GET', 'KEEPTTL', 'EX'])]],
    [['GET', one]],
    [['APPEND', one, argument(chance)]],
    [['INCR', one]],
    [['INCRBYFLOAT', one, '0.25']],
    [['STRLEN', one]],
    [['SETRANGE', one, String(chance.below(50)), argument(chance)]],
    [['MSET', one, argument(chance), other, argument(chance)]],
    [['MGET', one, other, 'none']],
    [['DEL', one, other]],
    [['EXISTS', one]],
    [['TYPE', one]],
    [['GETDEL', one]],
    [['PERSIST', one]],
    [['SETBIT', one, String(chance.below(200)), '1']],
    [['BITCOUNT', one]],
    [['RENAME', one, other]],
    [['COPY', one, other]],
    [['PFADD', `${scene.prefix}p`, argument(chance)]],
    [['PFCOUNT', `${scene.prefix}p`]],
  ]);
};

const collections: Kind = (chance, scene) => {
  const { prefix } = scene;
  const value = argument(chance);
  const score = chance.pick(['1', '2.5', '-inf', 'x']);
  return chance.pick<Command[]>([
    [['LPUSH', `${prefix}l`, value, 'last']],
    [['LRANGE', `${prefix}l`, '0', '-1']],
    [['LPOP', `${prefix}l`, '2']],
    [['HSET', `${prefix}h`, 'f', value]],
    [['HGET', `${prefix}h`, 'f']],
    [['HMGET', `${prefix}h`, 'f', 'g']],
    [['HGETALL', `${prefix}h`]],
    [['ZADD', `${prefix}z`, score, value]],
    [['ZRANGE', `${prefix}z`, '0', '-1', 'WITHSCORES']],
    [['ZSCORE', `${prefix}z`, value]],
    [['XADD', `${prefix}x`, `${1 + chance.below(9)}-1`, 'f', value]],
    [['XRANGE', `${prefix}x`, '-', '+']],
    [['XREAD', 'STREAMS', `${prefix}x`, '0']],
    [['SADD', `${prefix}i`, String(chance.below(99)), '5']],
    [['SMEMBERS', `${prefix}i`]],
    [['GEOADD', `${prefix}g`, '13.3', '38.1', 'here']],
    [['GEOPOS', `${prefix}g`, 'here', 'there']],
    [['SORT', `${prefix}i`, 'DESC']],
  ]);
};

/** What waits, but not for long; and what is in no order where damage takes its arguments off. */
const wholesome: Kind = (chance, { prefix }) =>
  chance.pick<Command[]>([
    [['BLPOP', `${prefix}l`, `${prefix}none`, '0.01']],
    [['BRPOP', `${prefix}none`, '0.01']],
    [['BLMOVE', `${prefix}l`, `${prefix}l`, 'LEFT', 'RIGHT', '0.01']],
    [['BZPOPMIN', `${prefix}z`, '0.01']],
    [['XREAD', 'BLOCK', '10', 'STREAMS', `${prefix}x`, '5']],
    [['WAIT', '1', '10']],
    [['COMMAND', 'COUNT']],
    [['COMMAND', 'INFO', 'get']],
  ]);

const transactions: Kind = (chance, scene) => {
  const inside = Array.from({ length: chance.below(4) }, () => strings(chance, scene)).flat();
  const end = chance.pick<Command>([['EXEC'], ['EXEC'], ['DISCARD'], ['EXEC', 'x'], ['MULTI']]);
  const watch: Command[] = chance.oneIn(3) ? [['WATCH', key(chance, scene)]] : [];
  const broken: Command[] = chance.oneIn(5) ? [['NOSUCH', 'x']] : [];
  return [...watch, ['MULTI'], ...inside, ...broken, end];
};

const scripts: Kind = (chance, scene) => {
  const one = key(chance, scene);
  return chance.pick<Command[]>([
    [['EVAL', "return {1,'two',{3.9,false,true},redis.status_reply('S')}", '0']],
    [['EVAL', "return redis.error_reply('BAD thing')", '0']],
    [['EVAL', "return redis.call('GET', KEYS[1])", '1', one]],
    [['EVAL', "return redis.pcall('INCR', KEYS[1])", '1', one]],
    [['EVAL', "redis.setresp(3); return redis.call('HGETALL', KEYS[1])", '1', `${scene.prefix}h`]],
    [['EVAL', 'return {double=3.5}', '0']],
    [['EVAL', 'return {map={a=1}}', '0']],
    [['EVAL', 'this is not lua', '0']],
    [['EVAL', "return redis.call('CONFIG','GET','port')", '0']],
    [['EVAL_RO', "return redis.call('SET', KEYS[1], 'x')", '1', one]],
    [['EVALSHA', '0'.repeat(40), '0']],
    [['SCRIPT', 'EXISTS', '0'.repeat(40)]],
    [['SCRIPT', 'LOAD', 'return 1']],
  ]);
};

/** What changes how the connection itself speaks. */
const modes: Kind = (chance, { prefix }) =>
  chance.pick<Command[]>([
    [['HELLO']],
    [['HELLO', '2']],
    [['HELLO', '3']],
    [['HELLO', '3', 'SETNAME', 'me']],
    [['HELLO', '4']],
    [['HELLO', 'three']],
    [['HELLO', '3', 'NOSUCH']],
    [['HELLO', '3', 'SETNAME', 'a b']],
    [['CLIENT', 'REPLY', 'ON']],
    [
      ['CLIENT', 'REPLY', 'OFF'],
      ['SET', `${prefix}s`, 'unseen'],
      ['PING'],
      ['CLIENT', 'REPLY', 'ON'],
    ],
    [['CLIENT', 'REPLY', 'SKIP'], ['PING']],
    [['CLIENT', 'REPLY', 'SKIP'], ['CLIENT', 'REPLY', 'SKIP'], ['PING']],
    [['CLIENT', 'SETNAME', 'me']],
    [['CLIENT', 'SETNAME', 'not this']],
    [['CLIENT', 'GETNAME']],
    [['SELECT', chance.pick(['0', '1', '99', 'x'])]],
    [['READONLY']],
    [['ASKING']],
  ]);

const publishing: Kind = (chance, { prefix, keyId, secret }) =>
  chance.pick<Command[]>([
    [['SUBSCRIBE', `${prefix}c`], ['PING'], ['PING', 'hello'], ['UNSUBSCRIBE', `${prefix}c`]],
    [
      ['SUBSCRIBE', `${prefix}c`, `${prefix}c`],
      ['GET', 'x'],
      ['UNSUBSCRIBE', `${prefix}c`],
    ],
    [['PSUBSCRIBE', `${prefix}*`], ['PUBLISH', `${prefix}c`, 'm'], ['PUNSUBSCRIBE']],
    [['SSUBSCRIBE', `${prefix}c`], ['SUNSUBSCRIBE']],
    [['SUBSCRIBE', `${prefix}c`], ['RESET'], ['AUTH', keyId, secret]],
    [['UNSUBSCRIBE']],
    [['PUBLISH', `${prefix}c`, argument(chance)]],
    [['PUBSUB', 'NUMSUB', `${prefix}c`]],
  ]);

const plain: Kind = (chance) => {
  const value = argument(chance);
  return chance.pick<Command[]>([
    [['PING']],
    [['ping']],
    [['PiNg', value]],
    [['ECHO', value]],
    [['ECHO']],
    [['PING', 'a', 'b']],
    [['ACL', 'WHOAMI']],
    [['OBJECT', 'HELP']],
    [['CLIENT', 'NOSUCH']],
  ]);
};

/** What nobody may run, or what is nothing. */
const refused: Kind = (chance, { prefix }) =>
  chance.pick<Command[]>([
    [['MONITOR']],
    [['CONFIG', 'GET', '*']],
    [['SHUTDOWN', 'NOSAVE']],
    [['DEBUG', 'SLEEP', '0']],
    [['ACL', 'LIST']],
    [['ACL', 'SETUSER', 'me', 'on']],
    [['CLIENT', 'PAUSE', '1']],
    [['REPLICAOF', 'localhost', '1']],
    [['MIGRATE', 'localhost', '1', 'k', '0', '1']],
    [['SYNC']],
    [['PSYNC', '?', '-1']],
    [['MODULE', 'LIST']],
    [['SAVE']],
    [['SWAPDB', '0', '1']],
    [['NOSUCH', argument(chance)]],
    [[argument(chance)]],
    [['GET']],
    [['SET', `${prefix}s`]],
  ]);

/** Signing in again: as oneself, wrongly, as another key; and giving it up. */
const signIns: Kind = (chance, { keyId, secret, otherKeyId, otherSecret }) =>
  chance.pick<Command[]>([
    [['AUTH', keyId, secret]],
    [['AUTH', keyId, 'wrong']],
    [['AUTH']],
    [['AUTH', 'a', 'b', 'c']],
    [['HELLO', '3', 'AUTH', keyId, secret]],
    [['HELLO', '2', 'AUTH', keyId, 'wrong']],
    [['AUTH', otherKeyId, otherSecret]],
    [['RESET'], ['PING'], ['AUTH', keyId, secret]],
    [['RESET'], ['HELLO', '3', 'AUTH', keyId, secret, 'SETNAME', 'again']],
    [['RESET', 'x']],
    [['MULTI'], ['AUTH', keyId, secret], ['RESET'], ['AUTH', keyId, secret]],
  ]);

const kinds: readonly Kind[] = [
  ...Array<Kind>(6).fill(strings),
  ...Array<Kind>(5).fill(collections),
  ...Array<Kind>(3).fill(transactions),
  ...Array<Kind>(3).fill(scripts),
  ...Array<Kind>(3).fill(modes),
  ...Array<Kind>(3).fill(publishing),
  ...Array<Kind>(3).fill(plain),
  ...Array<Kind>(2).fill(refused),
  signIns,
];
