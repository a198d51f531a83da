/** Commands with odd arguments, of every kind that Redis has, for comparing two ways to run them. */
import fc from 'fast-check';

export type Argument = string | Buffer;

/** A command of a server, as COMMAND tells it. */
export interface KnownCommand {
  readonly name: string;
  /** How many words it has; at least so many where negative. */
  readonly arity: number;
  readonly subcommands: readonly string[];
}

/** What is there before each run: keys of every type. */
export const seed: readonly (readonly string[])[] = [
  ['SET', 'string', 'value'],
  ['SET', 'number', '10'],
  ['RPUSH', 'list', 'a', 'b', 'c', 'b'],
  ['HSET', 'hash', 'field', 'value', '', 'empty', 'é\r\n', '1.5'],
  ['SADD', 'set', '1', '2', '3'],
  ['ZADD', 'zset', '1', 'a', '2.5', 'b', 'inf', 'c'],
  ['XADD', 'stream', '1-1', 'field', 'value'],
  ['XGROUP', 'CREATE', 'stream', 'group', '0'],
  ['PFADD', 'hll', 'a', 'b'],
  ['GEOADD', 'geo', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania'],
  ['SET', '', 'at the empty key'],
];

/**
 * Left out, each for its reason: what depends on the time, on chance or on the server, so that no two
 * servers answer alike.
 */
export const incomparable: Readonly<Record<string, string>> = {
  TIME: 'the time',
  TTL: 'the time',
  PTTL: 'the time',
  EXPIRETIME: 'the time',
  PEXPIRETIME: 'the time',
  LASTSAVE: 'the time',
  OBJECT: 'the time since a key was used',
  XADD: 'an id that is the time',
  XCLAIM: 'the time since a delivery',
  XAUTOCLAIM: 'the time since a delivery',
  XPENDING: 'the time since a delivery',
  XINFO: 'the time since a delivery',
  RANDOMKEY: 'chance',
  SRANDMEMBER: 'chance',
  SPOP: 'chance',
  HRANDFIELD: 'chance',
  ZRANDMEMBER: 'chance',
  COMMAND: 'the order of a hash table with a random seed',
  SCAN: 'a cursor and a first page in that order',
  INFO: 'the server itself',
  MEMORY: 'the server itself',
  BLPOP: 'it waits for ever',
  BRPOP: 'it waits for ever',
  BRPOPLPUSH: 'it waits for ever',
  BLMOVE: 'it waits for ever',
  BLMPOP: 'it waits for ever',
  BZPOPMIN: 'it waits for ever',
  BZPOPMAX: 'it waits for ever',
  BZMPOP: 'it waits for ever',
};

/** Their replies come in the order of a hash table with a random seed: compared as sets. */
export const unordered: ReadonlySet<string> = new Set(
  'KEYS SSCAN HSCAN ZSCAN SMEMBERS SINTER SUNION SDIFF HGETALL HKEYS HVALS FUNCTION PUBSUB'.split(
    ' ',
  ),
);

const keys = ['string', 'number', 'list', 'hash', 'set', 'zset', 'stream', 'hll', 'geo', 'none'];
const numbers = ['0', '-1', '2', '100000', '1.5', 'inf', 'nan', '1e3', '-0', '9007199254740993'];
/** A number that would be a huge offset or count is not among them: it would fill the memory. */
const words =
  'field value a group NX XX GT LT CH INCR EX PX KEEPTTL GET COUNT MATCH * WITHSCORES LIMIT BY ASC ALPHA ' +
  'STORE BYSCORE BYLEX REV STREAMS $ > - + (1 [a LEFT RIGHT BEFORE AFTER AND NOT u8 OVERFLOW SAT km m ' +
  'FROMMEMBER BYRADIUS WEIGHTS AGGREGATE SUM ID JUSTID MAXLEN ~ = REPLACE HELP';

const odd: readonly Argument[] = [
  '',
  ' ',
  '\r\n',
  '$3\r\nfoo\r\n',
  '\0',
  '"\\',
  'é😀',
  '%2F/?&#+',
  'x'.repeat(70),
  'é'.repeat(40_000),
  Buffer.from([0xff, 0xfe, 0x00, 0x0d, 0x0a]),
  Buffer.from([0xc3]),
  Buffer.alloc(200_000, 0x80),
  'return {KEYS, ARGV, 1.5, false, {err = "ERR a"}, {ok = "fine"}}',
  "return redis.error_reply('ERR a\\r\\nb')",
];

const argument: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...keys) },
  { weight: 4, arbitrary: fc.constantFrom(...numbers) },
  { weight: 4, arbitrary: fc.constantFrom(...words.split(' ')) },
  { weight: 3, arbitrary: fc.constantFrom(...odd) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
);

/** Arguments of a command, oftener as many as it takes than not. */
export function argumentsOf({ arity, subcommands }: KnownCommand): fc.Arbitrary<Argument[]> {
  const least = Math.abs(arity) - 1;
  const fitting = fc.array(argument, {
    minLength: least,
    maxLength: arity < 0 ? least + 4 : least,
  });
  const any = fc.oneof(
    { weight: 4, arbitrary: fitting },
    { weight: 1, arbitrary: fc.array(argument, { maxLength: 6 }) },
  );
  if (subcommands.length === 0) return any;
  const first = fc.constantFrom(...subcommands);
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(first, fc.array(argument, { maxLength: 4 })).map((t) => t.flat()),
    },
    { weight: 1, arbitrary: any },
  );
}
