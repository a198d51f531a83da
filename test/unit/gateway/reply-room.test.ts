import test, { type ExecutionContext } from 'ava';
import { type Execution, executeCommand, executePipeline } from '../../../src/gateway/execute.ts';
import type { Command } from '../../../src/gateway/parse.ts';
import { defaultLinkBounds } from '../../../src/gateway/redis/bounds.ts';
import { createLinks } from '../../../src/gateway/redis/links.ts';
import { readReplyFormat } from '../../../src/gateway/reply-format.ts';
import { executeTransaction } from '../../../src/gateway/transaction.ts';
import { type FakeRedis, grantFor, startFakeRedis } from './fake-redis.ts';

/** A Redis of whose replies two have room. */
async function start(t: ExecutionContext): Promise<{ redis: FakeRedis; execution: Execution }> {
  const redis = await startFakeRedis(t, (command) => {
    if (!command.startsWith('SCAN')) return `$400\r\n${'x'.repeat(400)}\r\n`;
    const keys = `$20\r\n${'k'.repeat(20)}\r\n`.repeat(2);
    return `*2\r\n$1\r\n0\r\n*2\r\n${keys}`;
  });
  const links = createLinks({ ...defaultLinkBounds, replyBytesMax: 1_000 });
  t.teardown(() => links.close());
  const { signal } = new AbortController();
  const format = readReplyFormat({});
  return {
    redis,
    execution: { links, grant: grantFor(redis.port), format, signalEnd: () => signal },
  };
}

function parse(lines: readonly string[]): Command[] {
  return lines.map((line) => {
    const [name = '', ...args] = line.split(' ');
    return { name, args };
  });
}

const tooLarge = { message: /^ERR reply is larger than 1000 bytes/ };

const pipelines: readonly (readonly string[])[] = [
  ['GET 1', 'JSON.GET 2', 'GET 3', 'JSON.GET last'],
  ['JSON.GET 1', 'JSON.GET 2', 'JSON.GET 3', 'GET last'],
  ['JSON.GET 1', 'SCAN 0 WITHTYPE', 'JSON.GET last'],
];

for (const lines of pipelines) {
  test(`the replies of ${lines.join(', ')} together are bounded, and what follows is not run`, async (t) => {
    const { redis, execution } = await start(t);
    await t.throwsAsync(executePipeline(execution, parse(lines)), tooLarge);
    t.false(redis.seen.some((command) => command.endsWith('last')));
  });
}

test('the replies of a transaction on a connection of its own are bounded together', async (t) => {
  const { redis, execution } = await start(t);
  const commands = parse(['JSON.GET 1', 'JSON.GET 2', 'JSON.GET last']);
  await t.throwsAsync(executeTransaction(execution, commands), tooLarge);
  t.false(redis.seen.some((command) => command === 'EXEC'));
});

test('refused commands do not part the commands around them', async (t) => {
  const { redis, execution } = await start(t);
  const lines = ['ECHO 1', 'BLPOP x 0', 'SELECT 1', 'ECHO 2'];
  const { status, body } = await executePipeline(execution, parse(lines));
  t.is(status, 200);
  const answers: { result?: string; error?: string }[] = JSON.parse(String(body));
  t.deepEqual(
    answers.map(({ result, error }) => result?.length ?? error?.split(' ')[1]),
    [400, 'BLPOP', 'SELECT', 400],
  );
  t.deepEqual(redis.chunkSizes, [1, 2]);
});

test('SCAN WITHTYPE takes a COUNT of up to 10,000', async (t) => {
  const { redis, execution } = await start(t);
  const scan = async (count: string) =>
    await executeCommand(execution, { name: 'SCAN', args: ['0', 'count', count, 'WITHTYPE'] });
  const { status, body } = await scan('10001');
  t.is(status, 400);
  t.regex(String(body), /ERR COUNT is at most 10000 with WITHTYPE/);
  t.deepEqual(redis.seen, []);
  t.is((await scan('10000')).status, 200);
});
