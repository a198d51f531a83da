/**
 * Every command that Redis knows, with odd arguments, through the gateway to one Redis and directly to
 * another: both are in the same state before, so the replies must be the same bytes; or the gateway says
 * that it does not take the command, and it is on the list.
 */
import test from 'ava';
import fc from 'fast-check';
import { classify } from '../../../src/gateway/command-table.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { connectDirectly, type DirectRedis, parseReply, type Reply } from './direct-redis.ts';
import { signUp, startWorld, type World } from './harness.ts';
import {
  type Argument,
  argumentsOf,
  incomparable,
  type KnownCommand,
  seed,
  unordered,
} from './odd-commands.ts';
import { createRawCaller, type RawAnswer, type RawCaller } from './raw-caller.ts';

const runsEach = Number(process.env.RUNS ?? 8);
const fuzzSeed = process.env.SEED ? Number(process.env.SEED) : undefined;
const forms = ['base64', 'resp2'] as const;
/** A request line has to fit into Node's limit for heads. */
const pathBytesMax = 8_000;

interface Pair {
  readonly world: World;
  readonly caller: RawCaller;
  readonly behind: RedisContainer;
  readonly direct: DirectRedis;
  readonly twin: RedisContainer;
}

test('each command of Redis is answered as by Redis itself, or refused by the list', async (t) => {
  t.timeout(30 * 60_000);
  const [behind, twin] = [await startRedisContainer(t), await startRedisContainer(t)];
  const world = await startWorld(t, behind);
  await signUp(twin, world);
  const user = { name: world.key.id, secret: world.secret };
  const direct = await connectDirectly(twin.port, user);
  t.teardown(async () => direct.close());
  const caller = createRawCaller(world.port);
  const pair = { world, caller, behind, direct, twin };
  const commands = await listCommands(behind);
  const different: string[] = [];
  const counts = { same: 0, refused: 0 };
  for (const command of commands) {
    if (command.name in incomparable) continue;
    const property = fc.asyncProperty(
      argumentsOf(command),
      fc.constantFrom(...forms),
      fc.boolean(),
      async (args, form, inPath) => {
        counts[await compare(pair, { name: command.name, args, form, inPath })] += 1;
      },
    );
    const settings = fuzzSeed === undefined ? {} : { seed: fuzzSeed };
    const outcome = await fc.check(property, { numRuns: runsEach, ...settings });
    if (outcome.failed) {
      different.push(`${command.name}, seed ${outcome.seed}: ${String(outcome.errorInstance)}`);
    }
  }
  caller.close();
  t.log(`${commands.length} commands, ${JSON.stringify(counts)}`);
  t.deepEqual(different, []);
  t.true(counts.same > commands.length, 'hardly anything was compared');
});

interface Trial {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly form: (typeof forms)[number];
  readonly inPath: boolean;
}

async function compare(pair: Pair, trial: Trial): Promise<'same' | 'refused'> {
  const { name, args, form } = trial;
  const answer = await ask(pair, trial);
  const verdict = classify({ name, args });
  if (verdict.kind === 'refused') {
    expect(answer.status === 400 && answer.body.includes('not supported over HTTP'), trial, answer);
    return 'refused';
  }
  await reset(pair.twin);
  const { bytes, reply } = await pair.direct.call(name, ...args);
  const isFailure = reply.kind === 'error';
  const hasStatus = isFailure ? answer.status >= 400 && answer.status < 500 : answer.status === 200;
  expect(hasStatus, trial, answer, bytes);
  if (form === 'base64' || isFailure) {
    const expected = isFailure ? { error: text(reply.bytes) } : { result: toJson(reply, true) };
    const found = answer.body.toString('latin1').startsWith('-')
      ? { error: text(answer.body.subarray(1, -2)) }
      : JSON.parse(answer.body.toString());
    expect(sameJson(found, expected, unordered.has(name)), trial, answer, bytes);
  } else if (unordered.has(name)) {
    const parsed = parseReply(answer.body, 0);
    const found = parsed && toJson(parsed.reply, true);
    expect(sameJson(found, toJson(reply, true), true), trial, answer, bytes);
  } else {
    expect(answer.body.equals(bytes), trial, answer, bytes);
  }
  return 'same';
}

async function ask(pair: Pair, trial: Trial): Promise<RawAnswer> {
  const { name, args, form, inPath } = trial;
  await reset(pair.behind);
  const head = [
    'Host: localhost',
    `Authorization: Bearer ${pair.world.secret}`,
    form === 'base64' ? 'Upstash-Encoding: base64' : 'Upstash-Response-Format: resp2',
  ];
  const base = `/redis/${pair.world.instanceId}`;
  const hasBytes = args.some((argument) => typeof argument !== 'string');
  const path = [name, ...args].map(percentEncode).join('/');
  // An endpoint's name in the path is that endpoint, not a command.
  const isEndpoint = /^(subscribe|psubscribe|monitor)$/i.test(name);
  const body = JSON.stringify([name, ...args.map(String)]);
  if (isEndpoint || (!hasBytes && (!inPath || path.length > pathBytesMax))) {
    return await send(`POST ${base}`, body);
  }
  if (path.length <= pathBytesMax) return await send(`GET ${base}/${path}`);
  // The last argument may go in the body, as bytes; what is left of the others must fit.
  const last = Buffer.from((args.at(-1) ?? '') as Buffer);
  const short = [name, ...args.slice(0, -1)].map(percentEncode).join('/');
  if (short.length <= pathBytesMax && last.length > 0)
    return await send(`POST ${base}/${short}`, last);
  return fc.pre(false) as never;

  async function send(line: string, content?: string | Buffer): Promise<RawAnswer> {
    const bytes = content === undefined ? Buffer.alloc(0) : Buffer.from(content as Buffer);
    const length = content === undefined ? [] : [`Content-Length: ${bytes.length}`];
    const text = `${[`${line} HTTP/1.1`, ...head, ...length].join('\r\n')}\r\n\r\n`;
    const [answer] = await pair.caller.send(Buffer.concat([Buffer.from(text), bytes]));
    if (!answer) throw new Error('no answer');
    return answer;
  }
}

function percentEncode(argument: Argument): string {
  const bytes = Buffer.from(argument as Buffer);
  return bytes.toString('latin1').replace(/[^A-Za-z0-9]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

async function reset({ admin }: RedisContainer): Promise<void> {
  const pipeline = admin.pipeline().flushall().call('FUNCTION', 'FLUSH').call('SCRIPT', 'FLUSH');
  for (const [name = '', ...args] of seed) pipeline.call(name, ...args);
  await pipeline.exec();
}

function expect(holds: boolean, trial: Trial, answer: RawAnswer, direct?: Buffer): void {
  if (holds) return;
  const show = (bytes: Buffer): string => JSON.stringify(bytes.toString('latin1').slice(0, 300));
  const args = trial.args.map((argument) => show(Buffer.from(argument as Buffer)).slice(0, 60));
  throw new Error(
    `${trial.name} ${args.join(' ')} (${trial.form}): ${answer.status} ${show(answer.body)}` +
      `${direct ? `, but directly ${show(direct)}` : ''}`,
  );
}

/** What the base64 form makes of a reply. */
function toJson(reply: Reply, isTop: boolean): unknown {
  if (reply.kind === 'null') return null;
  if (reply.kind === 'integer') {
    const number = Number(reply.text);
    if (Number.isSafeInteger(number)) return number;
    return Buffer.from(reply.text).toString('base64');
  }
  if (reply.kind === 'array') return reply.items.map((item) => toJson(item, false));
  const isOk = isTop && reply.bytes.equals(Buffer.from('OK'));
  return isOk ? 'OK' : reply.bytes.toString('base64');
}

function text(bytes: Buffer): string {
  return bytes.toString('utf8');
}

function sameJson(found: unknown, expected: unknown, anyOrder: boolean): boolean {
  const normal = (value: unknown): string => JSON.stringify(anyOrder ? flatten(value) : value);
  return normal(found) === normal(expected);
}

/** All that is in it, in one order: nested arrays and pairs come apart, which no failure hides behind. */
function flatten(value: unknown): unknown {
  if (Array.isArray(value))
    return value
      .flat(9)
      .map((item) => JSON.stringify(item))
      .sort();
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value).map(([name, item]) => [name, flatten(item)]);
}

async function listCommands({ admin }: RedisContainer): Promise<KnownCommand[]> {
  const rows = (await admin.call('COMMAND')) as [string, number, ...unknown[]][];
  return rows.map(([name, arity, ...more]) => {
    const subcommands = (more[7] ?? []) as [string, number][];
    return {
      name: name.toUpperCase(),
      arity,
      subcommands: subcommands.map(([full]) => full.slice(full.indexOf('|') + 1).toUpperCase()),
    };
  });
}
