/** The rules of a key's ACL user, judged by the Redis that instances run. */
import test from 'ava';
import { aclRules } from '../../../src/keys/acl-rules.ts';
import { sha256Hex } from '../../../src/lib/crypto.ts';
import type { KeyPermission } from '../../../src/store/entities/data-key.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';

const passwordHash = sha256Hex('a data key');
const users: Record<string, KeyPermission[]> = {
  reader: ['read'],
  writer: ['read', 'write'],
  'writer-only': ['write'],
  nobody: [],
};
const allowed: Record<string, Set<string>> = {};
let redis: RedisContainer;

/** A command of `COMMAND`, or of its subcommands: name with `|`, arity. */
interface Command {
  readonly name: string;
  readonly arity: number;
  readonly categories: ReadonlySet<string>;
}
let commands: Command[] = [];

test.before('a Redis tells what each user may do', async () => {
  redis = await startRedisContainer();
  commands = flatten((await redis.admin.call('COMMAND')) as unknown[][]);
  for (const [name, permissions] of Object.entries(users)) {
    await redis.setUser({ name, passwordHash, permissions });
    const pipeline = redis.admin.pipeline();
    for (const command of commands) pipeline.call('ACL', ['DRYRUN', name, ...wordsOf(command)]);
    const answers = (await pipeline.exec()) ?? [];
    // A key that the rules forbid, or a command: both are said, and only OK is leave.
    allowed[name] = new Set(
      commands.filter((_, index) => answers[index]?.[1] === 'OK').map((command) => command.name),
    );
  }
});

test.after.always('the Redis is removed', async () => {
  await redis?.remove();
});

function flatten(replies: readonly unknown[][]): Command[] {
  return replies.flatMap((reply) => {
    const [name, arity, , , , , categories, , , subcommands] = reply;
    const command = {
      name: String(name),
      arity: Number(arity),
      categories: new Set((categories as string[] | undefined) ?? []),
    };
    const inner = flatten((subcommands as unknown[][] | undefined) ?? []);
    // A container command alone (CONFIG) does nothing: its subcommands are what counts.
    return inner.length > 0 ? inner : [command];
  });
}

/** The command with as many arguments as it needs; what they say does not matter to a dry run. */
function wordsOf({ name, arity }: Command): string[] {
  const words = name.split('|');
  const missing = Math.abs(arity) - words.length;
  return [...words, ...Array.from({ length: Math.max(0, missing) }, () => '1')];
}

function may(user: string, command: string): boolean {
  return allowed[user]?.has(command) ?? false;
}

function inCategory(category: string): string[] {
  return commands.filter(({ categories }) => categories.has(category)).map(({ name }) => name);
}

test('a dry run of every command was possible', (t) => {
  t.true(commands.length > 300);
  t.true(commands.some(({ name }) => name === 'config|set'));
  t.true(commands.some(({ name }) => name === 'get'));
});

/** Commands of @admin and @dangerous that a tenant may run on data of his own. */
const ownData = ['info', 'keys', 'sort', 'sort_ro', 'flushdb', 'flushall'];

for (const user of Object.keys(users)) {
  for (const category of ['@admin', '@dangerous']) {
    test(`${user} has no command of ${category} but those on data of one's own`, (t) => {
      const names = inCategory(category);
      t.true(names.length > 20);
      t.deepEqual(
        names.filter((name) => may(user, name)).filter((name) => !ownData.includes(name)),
        [],
      );
    });
  }

  test(`${user} cannot administer, replicate, debug, load code, spy or stop Redis`, (t) => {
    const families =
      /^(acl|config|shutdown|debug|replicaof|slaveof|psync|sync|replconf|migrate|restore-asking|module|monitor|cluster|failover|bgsave|bgrewriteaof|save|latency|slowlog|swapdb|lastsave|role|pfdebug|pfselftest)\b/;
    const other = ['client|kill', 'client|list', 'client|pause', 'client|unpause', 'script|kill'];
    const names = commands
      .map(({ name }) => name)
      .filter((name) => families.test(name) || other.includes(name));
    t.true(names.length > 60, `${names.length}`);
    t.deepEqual(
      names.filter((name) => may(user, name)),
      [],
    );
  });
}

test('a read-only key has no command that writes', (t) => {
  const names = inCategory('@write');
  t.true(names.length > 80);
  t.deepEqual(
    names.filter((name) => may('reader', name)),
    [],
  );
});

test('a read-only key has no command that runs scripts', (t) => {
  const names = inCategory('@scripting');
  t.true(names.length > 10);
  t.deepEqual(
    names.filter((name) => may('reader', name)),
    [],
  );
});

test('a read-only key cannot publish', (t) => {
  t.false(may('reader', 'publish'));
  t.false(may('reader', 'spublish'));
});

const reading =
  `get mget strlen exists ttl pttl type scan keys hget hgetall hmget lrange llen smembers
  sismember zrange zrangebyscore zscore xrange xread xlen pfcount bitcount getrange randomkey dbsize
  info time ping echo auth hello select reset subscribe psubscribe unsubscribe command|count
  command|docs client|setname client|id client|getname object|encoding memory|usage geosearch
  sort_ro`.split(/\s+/);
const writing = `set mset del unlink incr incrby expire persist rename append setex getset getdel
  hset hdel hincrby lpush rpush lpop rpop blpop sadd srem spop zadd zrem zincrby xadd xdel xgroup|create
  xreadgroup xack pfadd setbit geoadd publish multi exec discard watch unwatch eval evalsha script|load
  script|exists fcall function|load flushdb flushall copy dump sort`.split(/\s+/);

test('a read-only key can run the ordinary commands that read', (t) => {
  t.deepEqual(
    reading.filter((name) => !may('reader', name)),
    [],
  );
});

for (const user of ['writer', 'writer-only']) {
  test(`${user} can run the ordinary commands that read, write, transact and script`, (t) => {
    t.deepEqual(
      [...reading, ...writing].filter((name) => !may(user, name)),
      [],
    );
  });
}

test('a key without permissions can run nothing', (t) => {
  // Redis itself lets everybody sign in, ask for the protocol and leave.
  const always = new Set(['auth', 'hello', 'quit', 'reset']);
  t.deepEqual(
    [...(allowed.nobody ?? [])].filter((name) => !always.has(name)),
    [],
  );
});

test('the rules undo whatever the user was before', async (t) => {
  await redis.admin.call('ACL', 'SETUSER', 'was-more', 'on', 'nopass', '~*', '&*', '+@all');
  await redis.setUser({ name: 'was-more', passwordHash, permissions: ['read'] });
  t.is(await listed('was-more'), await listed('reader'));
});

test("the user's only password is the key, and it opens every key and channel", async (t) => {
  const user = (await redis.admin.call('ACL', 'GETUSER', 'reader')) as unknown[];
  const fields = Object.fromEntries(
    Array.from({ length: user.length / 2 }, (_, index) => [user[2 * index], user[2 * index + 1]]),
  );
  t.deepEqual(fields.passwords, [passwordHash]);
  t.deepEqual(fields.keys, '~*');
  t.deepEqual(fields.channels, '&*');
  t.true((fields.flags as string[]).includes('on'));
  t.false((fields.flags as string[]).includes('nopass'));
});

async function listed(user: string): Promise<string | undefined> {
  const lines = (await redis.admin.call('ACL', 'LIST')) as string[];
  return lines.find((line) => line.startsWith(`user ${user} `))?.slice(`user ${user} `.length);
}

test('a key is named by its hash only', (t) => {
  const rules = aclRules({ name: 'k', passwordHash, permissions: ['read', 'write'] });
  t.is(rules[0], 'reset');
  t.deepEqual(
    rules.filter((rule) => /^[#>]/.test(rule)),
    [`#${passwordHash}`],
  );
  t.true(rules.indexOf('-@all') < rules.findIndex((rule) => rule.startsWith('+')));
});
