import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Grant } from '../../../src/gateway/authorize.ts';
import { defaultLinkBounds, type LinkBounds } from '../../../src/gateway/redis/bounds.ts';
import { textOf } from '../../../src/gateway/redis/frames.ts';
import { createLinks, type Links, type OwnLink } from '../../../src/gateway/redis/links.ts';
import { runCommands } from '../../../src/gateway/run.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { grantFor, startFakeRedis } from './fake-redis.ts';

function startLinks(t: ExecutionContext, bounds: Partial<LinkBounds> = {}): Links {
  const links = createLinks({ ...defaultLinkBounds, ...bounds });
  t.teardown(() => links.close());
  return links;
}

/** Runs one command; gives the reply's text, or the status and the message of what was thrown. */
async function run(links: Links, grant: Grant, line: string): Promise<string | undefined> {
  const [name = '', ...args] = line.split(' ');
  try {
    const [frame] = await runCommands(links, { grant, protocol: 3, commands: [{ name, args }] });
    return frame && textOf(frame);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${error.status} ${error.message}`;
  }
}

const connectionError = '500 Redis connection error';
const echo = (command: string): string | undefined => {
  const text = command.replace(/^ECHO /, '');
  return text === command ? undefined : `$${text.length}\r\n${text}\r\n`;
};

test('a connection signs in with one command, and sends nothing else by itself', async (t) => {
  const redis = await startFakeRedis(t, echo);
  const links = startLinks(t);
  t.is(await run(links, grantFor(redis.port), 'PING'), 'PONG');
  await links.shared(grantFor(redis.port), 2).ready;
  t.deepEqual(redis.seen, [
    'HELLO 3 AUTH key_1 secret of key_1',
    'PING',
    'AUTH key_1 secret of key_1',
  ]);
});

test('requests that come while it opens wait, and all of one turn are one write', async (t) => {
  const redis = await startFakeRedis(t, echo);
  const links = startLinks(t);
  const grant = grantFor(redis.port);
  for (let round = 0; round < 2; round++) {
    const replies = Array.from({ length: 100 }, (_, index) => run(links, grant, `ECHO ${index}`));
    t.deepEqual(
      await Promise.all(replies),
      Array.from({ length: 100 }, (_, index) => `${index}`),
    );
  }
  t.deepEqual(redis.chunkSizes, [1, 100, 100]);
  t.is(redis.connectionCount(), 1);
});

const odd: readonly [string, string][] = [
  ['a push', '>1\r\n+x\r\n'],
  ['more replies than commands', '+1\r\n+2\r\n+3\r\n+4\r\n'],
  ['what is no RESP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
];

for (const [name, bytes] of odd) {
  test(`${name} ends the connection, and the next request has a new one`, async (t) => {
    let answers = 0;
    const redis = await startFakeRedis(t, (command) => {
      answers += command === 'GET x' ? 1 : 0;
      return command === 'GET x' && answers === 1 ? bytes : undefined;
    });
    const links = startLinks(t, { commandTimeoutMs: 600_000 });
    const grant = grantFor(redis.port);
    const replies = await Promise.all([1, 2, 3].map(() => run(links, grant, 'GET x')));
    if (bytes.startsWith('+')) t.deepEqual(replies, ['1', '2', '3']);
    else t.deepEqual(replies, [connectionError, connectionError, connectionError]);
    t.is(await run(links, grant, 'PING'), 'PONG');
    t.is(redis.connectionCount(), 2);
    t.is(redis.seen.filter((command) => command === 'GET x').length, 3);
  });
}

test('a reply over the bound is its own caller’s error, and ends the connection', async (t) => {
  const redis = await startFakeRedis(t, (command) =>
    command === 'GET big' ? `$2000\r\n${'x'.repeat(2_000)}\r\n` : undefined,
  );
  const links = startLinks(t, { replyBytesMax: 1_000 });
  const grant = grantFor(redis.port);
  const replies = await Promise.all(
    ['GET big', 'GET small'].map((line) => run(links, grant, line)),
  );
  t.regex(replies[0] ?? '', /^400 ERR reply is larger than 1000 bytes/);
  t.is(replies[1], connectionError);
  t.is(await run(links, grant, 'PING'), 'PONG');
});

test('the replies of one request together are bounded as one reply is', async (t) => {
  const redis = await startFakeRedis(t, () => `$400\r\n${'x'.repeat(400)}\r\n`);
  const links = startLinks(t, { replyBytesMax: 1_000 });
  const grant = grantFor(redis.port);
  const send = (count: number): Promise<unknown> => {
    const commands = Array.from({ length: count }, () => ({ name: 'GET', args: ['x'] }));
    return runCommands(links, { grant, protocol: 3, commands });
  };
  await t.notThrowsAsync(send(2));
  await t.throwsAsync(send(3), { message: /larger than 1000 bytes/ });
});

test('a command without a reply in time fails all that wait, and is not sent again', async (t) => {
  const redis = await startFakeRedis(t);
  const links = startLinks(t, { commandTimeoutMs: 150 });
  const grant = grantFor(redis.port);
  const replies = await Promise.all([1, 2].map(() => run(links, grant, 'INCR x')));
  t.deepEqual(replies, [connectionError, connectionError]);
  t.is(await run(links, grant, 'PING'), 'PONG');
  t.is(redis.seen.filter((command) => command === 'INCR x').length, 2);
});

test('answers in time keep a busy connection open, however long it is busy', async (t) => {
  const redis = await startFakeRedis(t, (command, socket) => {
    setTimeout(() => socket.write(echo(command) ?? '+OK\r\n'), 20);
    return command.startsWith('HELLO') ? '' : undefined;
  });
  const links = startLinks(t, { commandTimeoutMs: 1_000 });
  const grant = grantFor(redis.port);
  const untilMs = performance.now() + 2_500;
  while (performance.now() < untilMs) t.is(await run(links, grant, 'ECHO 1'), '1');
  t.is(redis.connectionCount(), 1);
});

test('what was written when a connection is cut fails; what was not goes to another', async (t) => {
  const redis = await startFakeRedis(t, (command, socket) => {
    if (command === 'INCR cut') socket.destroy();
    return echo(command);
  });
  const links = startLinks(t);
  const grant = grantFor(redis.port);
  t.is(await run(links, grant, 'PING'), 'PONG');
  t.is(await run(links, grant, 'INCR cut'), connectionError);
  t.is(redis.seen.filter((command) => command === 'INCR cut').length, 1);
  t.is(await run(links, grant, 'PING'), 'PONG');
  const unwritten = run(links, grant, 'ECHO unwritten');
  links.dropWhere(() => true);
  t.is(await unwritten, 'unwritten');
  t.is(redis.seen.filter((command) => command === 'ECHO unwritten').length, 1);
});

test('a Redis that refuses to sign the key in says so to whoever waits', async (t) => {
  const table: readonly [string, RegExp][] = [
    ['-WRONGPASS invalid username-password pair\r\n', /^401 Invalid authentication token$/],
    ['-LOADING Redis is loading the dataset in memory\r\n', /^503 LOADING /],
    ['-ERR max number of clients reached\r\n', /^503 /],
    ['-NOPROTO unsupported\r\n', /^500 Redis connection error$/],
  ];
  for (const [answer, expected] of table) {
    const redis = await startFakeRedis(t, () => answer);
    const links = startLinks(t);
    for (const line of ['PING', 'GET x']) {
      t.regex((await run(links, grantFor(redis.port), line)) ?? '', expected);
    }
  }
});

test('a connection that is refused is tried again for those who wait', async (t) => {
  const gone = await startFakeRedis(t);
  await gone.close();
  const links = startLinks(t, { refusedRetryMs: 30_000, connectTimeoutMs: 60_000 });
  const reply = run(links, grantFor(gone.port), 'PING');
  await sleep(200);
  await startFakeRedis(t, echo, gone.port);
  t.is(await reply, 'PONG');
});

test('a connection that is cut while it signs in is tried again, from its beginning', async (t) => {
  let tries = 0;
  const redis = await startFakeRedis(t, (command, socket) => {
    if (!command.startsWith('HELLO')) return undefined;
    tries += 1;
    if (tries > 2) return undefined;
    // A part of an answer that never comes whole.
    socket.end('%7\r\n$6\r\nserver\r\n');
    return '';
  });
  const links = startLinks(t, { refusedRetryMs: 30_000, connectTimeoutMs: 60_000 });
  t.is(await run(links, grantFor(redis.port), 'PING'), 'PONG');
  t.is(redis.seen.filter((command) => command === 'PING').length, 1);
});

test('a Redis that takes connections and is silent is a failure in time', async (t) => {
  const redis = await startFakeRedis(t, () => '');
  const links = startLinks(t, { connectTimeoutMs: 150 });
  t.is(await run(links, grantFor(redis.port), 'PING'), connectionError);
});

test('after failures in a row callers are refused at once, others are not, and it is found again', async (t) => {
  const gone = await startFakeRedis(t);
  await gone.close();
  const other = await startFakeRedis(t);
  const links = startLinks(t, { refusedRetryMs: 0, breakerPauseMs: 300, breakerFailuresMax: 3 });
  const grant = grantFor(gone.port);
  for (let index = 0; index < 3; index++) t.is(await run(links, grant, 'PING'), connectionError);
  t.regex((await run(links, grant, 'PING')) ?? '', /^503 Redis does not answer/);
  await t.throwsAsync(links.own(grant, 3), { message: /^Redis does not answer/ });
  t.is(await run(links, grantFor(other.port, 'key_2', 'inst_2'), 'PING'), 'PONG');
  await startFakeRedis(t, echo, gone.port);
  const isBack = async (): Promise<true | undefined> =>
    (await run(links, grant, 'PING')) === 'PONG' || undefined;
  t.true(await pollUntil(isBack, { timeoutMs: 30_000, intervalMs: 20 }));
  t.is(await run(links, grant, 'PING'), 'PONG');
});

test('an instance that hangs is found out by the first sign-in after a command without an answer', async (t) => {
  let hangs = false;
  const redis = await startFakeRedis(t, (command) => {
    if (command.startsWith('HELLO')) return hangs ? '' : undefined;
    return hangs ? undefined : echo(command);
  });
  // The one long time here would outlast the test.
  const links = startLinks(t, {
    commandTimeoutMs: 200,
    connectTimeoutMs: 600_000,
    suspectConnectTimeoutMs: 200,
    breakerPauseMs: 10_000,
  });
  const grant = grantFor(redis.port);
  t.is(await run(links, grant, 'ECHO a'), 'a');
  hangs = true;
  t.is(await run(links, grant, 'ECHO b'), connectionError);
  t.is(await run(links, grant, 'ECHO c'), connectionError);
  t.regex((await run(links, grant, 'ECHO d')) ?? '', /^503 Redis does not answer/);
});

test('a slow command costs its own caller alone: whoever signs in next is served', async (t) => {
  const redis = await startFakeRedis(t, (command) =>
    command === 'ECHO slow' ? undefined : echo(command),
  );
  const links = startLinks(t, { commandTimeoutMs: 200, breakerPauseMs: 600_000 });
  const grant = grantFor(redis.port);
  for (let round = 0; round < 4; round += 1) {
    t.is(await run(links, grant, 'ECHO slow'), connectionError);
    t.is(await run(links, grant, 'ECHO a'), 'a');
  }
});

test('while an instance does not answer, one caller at a time looks whether it does', async (t) => {
  let isSilent = true;
  const redis = await startFakeRedis(t, () => (isSilent ? '' : undefined));
  const links = startLinks(t, {
    connectTimeoutMs: 1_000,
    breakerPauseMs: 20,
    breakerFailuresMax: 1,
  });
  const grant = grantFor(redis.port);
  t.is(await run(links, grant, 'PING'), connectionError);
  await sleep(50);
  const before = redis.connectionCount();
  const replies = await Promise.all([1, 2, 3, 4].map(() => run(links, grant, 'PING')));
  t.is(replies.filter((reply) => reply === connectionError).length, 1);
  t.is(replies.filter((reply) => reply?.startsWith('503')).length, 3);
  t.is(redis.connectionCount(), before + 1);
  isSilent = false;
  const isBack = async (): Promise<true | undefined> =>
    (await run(links, grant, 'PING')) === 'PONG' || undefined;
  t.true(await pollUntil(isBack, { timeoutMs: 30_000, intervalMs: 20 }));
});

test('commands and bytes that wait are bounded, for a connection and for an instance', async (t) => {
  const redis = await startFakeRedis(t);
  const grant = grantFor(redis.port);
  const second = grantFor(redis.port, 'key_2');
  const elsewhere = grantFor(redis.port, 'key_3', 'inst_2');
  const table: readonly [Partial<LinkBounds>, Grant, RegExp][] = [
    [{ inFlightMax: 2 }, grant, /^503 Too many commands/],
    [{ bytesInFlightMax: 40 }, grant, /^503 Too many bytes/],
    [{ instanceInFlightMax: 2 }, second, /^503 Too much is waiting/],
    [{ instanceBytesInFlightMax: 40 }, second, /^503 Too much is waiting/],
  ];
  for (const [bounds, refused, expected] of table) {
    const links = startLinks(t, bounds);
    const waiting = [1, 2].map(() => run(links, grant, 'GET x'));
    t.regex((await run(links, refused, 'GET x')) ?? '', expected);
    t.is(await run(links, elsewhere, 'PING'), 'PONG');
    links.close();
    t.deepEqual(await Promise.all(waiting), [connectionError, connectionError]);
  }
});

test('forged replies behind a script reach nobody', async (t) => {
  const redis = await startFakeRedis(t, (command) => {
    if (command.startsWith('EVAL')) return '-ERR a\r\n+FORGED\r\n';
    return command.startsWith('GET') ? '+mine\r\n' : echo(command);
  });
  const links = startLinks(t);
  const grant = grantFor(redis.port);
  const replies = await Promise.all(
    ['GET a', 'EVAL x 0', 'GET b', 'GET c'].map((line) => run(links, grant, line)),
  );
  t.deepEqual(replies, ['mine', connectionError, connectionError, connectionError]);
});

const loading = 'LOADING Redis is loading';
const unknown = (command: string): string | undefined =>
  /^[0-9a-f-]{36}$/.test(command) ? `-ERR unknown command '${command}', with args\r\n` : undefined;
const sendAll = async (links: Links, grant: Grant, lines: string[]) =>
  await Promise.all(lines.map((line) => run(links, grant, line)));

test('where Redis refuses the sentinel, each still gets its own reply', async (t) => {
  const redis = await startFakeRedis(t, (command) => {
    if (/^(EVAL|ECHO) /.test(command)) return `-${loading}\r\n`;
    return command.startsWith('GET') ? `+${command}\r\n` : unknown(command);
  });
  const links = startLinks(t);
  const grant = grantFor(redis.port);
  for (let round = 0; round < 3; round += 1) {
    const replies = await sendAll(links, grant, [
      'GET a',
      'EVAL x 0',
      'GET b',
      'EVAL y 0',
      'GET c',
    ]);
    t.deepEqual(replies, ['GET a', loading, 'GET b', loading, 'GET c']);
  }
  t.is(redis.connectionCount(), 1);
});

test('a sentinel’s refusal that was forged reaches nobody', async (t) => {
  const redis = await startFakeRedis(t, (command) => {
    if (command.startsWith('EVAL')) return `-${loading}\r\n-${loading}\r\n`;
    return command.startsWith('GET') ? '+mine\r\n' : (echo(command) ?? unknown(command));
  });
  const links = startLinks(t);
  const replies = await sendAll(links, grantFor(redis.port), [
    'GET a',
    'EVAL x 0',
    'GET b',
    'GET c',
  ]);
  t.deepEqual(replies, ['mine', connectionError, connectionError, connectionError]);
});

test('what waits for a doubt to end is bounded in bytes and time', async (t) => {
  const redis = await startFakeRedis(t, (command) => {
    if (/^(EVAL|ECHO) /.test(command)) return `-${loading}\r\n`;
    return command.startsWith('GET') ? `+${'x'.repeat(600)}\r\n` : undefined;
  });
  const all = [connectionError, connectionError, connectionError];
  const bounds = [
    { replyBytesMax: 1_000, commandTimeoutMs: 600_000 },
    { replyBytesMax: 1_000_000, commandTimeoutMs: 100 },
  ];
  for (const bound of bounds) {
    const links = startLinks(t, bound);
    const replies = await sendAll(links, grantFor(redis.port), ['EVAL x 0', 'GET b', 'GET c']);
    t.deepEqual(replies, all);
  }
});

test('own connections are bounded for a key and in all, and given back when closed', async (t) => {
  const redis = await startFakeRedis(t);
  const links = startLinks(t, { ownLinksPerKeyMax: 1, ownLinksMax: 2 });
  const first = await links.own(grantFor(redis.port), 3);
  const tooMany = { message: /^Too many streams/ };
  await t.throwsAsync(links.own(grantFor(redis.port), 3), tooMany);
  const second = await links.own(grantFor(redis.port, 'key_2'), 3);
  await t.throwsAsync(links.own(grantFor(redis.port, 'key_3'), 3), tooMany);
  first.close();
  await first.closed;
  t.is(
    textOf(await (await links.own(grantFor(redis.port), 3)).send({ name: 'PING', args: [] })),
    'PONG',
  );
  second.close();
});

test('an own connection ends with its key, with the gateway, and by its time', async (t) => {
  const redis = await startFakeRedis(t);
  const links = startLinks(t);
  const open = async (keyId: string) => await links.own(grantFor(redis.port, keyId), 3);
  const [dropped, kept, late] = await Promise.all([open('key_1'), open('key_2'), open('key_3')]);
  const failed = t.throwsAsync(dropped.send({ name: 'BLPOP', args: ['x', '0'] }), {
    message: 'Redis connection error',
  });
  links.dropWhere(({ keyId }) => keyId === 'key_1');
  await dropped.closed;
  await failed;
  await t.throwsAsync(dropped.send({ name: 'PING', args: [] }));
  await t.throwsAsync(late.send({ name: 'BLPOP', args: ['x', '0'] }, 50));
  await late.closed;
  t.is(textOf(await kept.send({ name: 'PING', args: [] })), 'PONG');
  links.close();
  await kept.closed;
  await t.throwsAsync(links.own(grantFor(redis.port), 3), { message: /shutting down/i });
});

test('what waits for a listener is bounded in bytes', async (t) => {
  const push = `>2\r\n+message\r\n$400\r\n${'x'.repeat(400)}\r\n`;
  const redis = await startFakeRedis(t, (command) => {
    const [, count] = /^PUSH (\d)$/.exec(command) ?? [];
    return count && `${push.repeat(Number(count))}+OK\r\n`;
  });
  const links = startLinks(t, { replyBytesMax: 1_000 });
  const sendPush = async (count: string): Promise<OwnLink> => {
    const link = await links.own(grantFor(redis.port), 3);
    await link.send({ name: 'PUSH', args: [count] });
    return link;
  };
  const fits = await sendPush('2');
  const given: number[] = [];
  fits.onPush((frame) => given.push(frame.length));
  t.deepEqual(given, [push.length, push.length]);
  await t.throwsAsync(sendPush('3'), { message: 'Redis connection error' });
  t.is(links.count().own, 1);
});
