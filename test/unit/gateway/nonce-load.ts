/**
 * Mixed requests over many connections, each with a nonce of its own in what it asks for, while Redis is
 * restarted and connections are cut: whatever an answer holds must be its request's.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisContainer } from '../../support/redis-container.ts';
import { type Bound, type Harness, signUp } from './harness.ts';
import { createRawCaller, type RawAnswer } from './raw-caller.ts';

const noncePattern = /n[0-9a-f]{24}n/g;
const notesMax = 30;
const bigRepeats = 2_500;
/** Requests that a connection sends at once, at most: HTTP lets it. */
const togetherMax = 3;
/** What an instance that is cut off, restarting or without the key's user answers. */
const troubleStatuses: readonly number[] = [401, 500, 503];
/** Scripts whose error replies hold line breaks: what follows these would be a reply of its own. */
const forgeries = [
  '\\r\\n+FORGED',
  '\\r\\n$6\\r\\nFORGED',
  '\\n*1\\r\\n:7',
  '\\r\\n-ERR FORGED\\r\\n',
];

export interface NonceReport {
  readonly requests: number;
  /** Answered with what was asked for. */
  readonly right: number;
  /** Answered with a failure of the connection to Redis. */
  readonly failed: number;
  /** Connections of ours that ended before an answer. */
  readonly cut: number;
  /** What reached another request, in words, the first of them: none must there be. */
  readonly strayed: readonly string[];
  /** Other answers than what was asked for. */
  readonly wrong: readonly string[];
  readonly tookMs: number;
}

interface Question {
  readonly nonce: string;
  readonly bytes: Buffer;
  /** Whether an answer with status 200 or 400 is what was asked for. */
  isRight(answer: RawAnswer): boolean;
}

interface Options {
  readonly requests: number;
  readonly connections: number;
  /** Between one trouble for Redis and the next. */
  readonly troubleEveryMs: number;
}

/** Sends the requests, half of them by each of two keys, with trouble meanwhile. */
export async function runNonceLoad(
  harness: Pick<Harness, 'port'>,
  redis: RedisContainer,
  callers: readonly Bound[],
  { requests, connections, troubleEveryMs }: Options,
): Promise<NonceReport> {
  const counts = { sent: 0, right: 0, failed: 0, cut: 0 };
  const strayed: string[] = [];
  const wrong: string[] = [];
  const startedMs = performance.now();
  const ended = new AbortController();

  async function ask(connection: number): Promise<void> {
    const bound = callers[connection % callers.length];
    if (!bound) throw new Error('there is no caller');
    const caller = createRawCaller(harness.port);
    while (counts.sent < requests) {
      const together = 1 + (counts.sent % togetherMax);
      const questions = Array.from({ length: together }, (_, at) => ask1(bound, counts.sent + at));
      counts.sent += together;
      const answers = await caller.send(...questions.map(({ bytes }) => bytes)).catch(() => []);
      if (answers.length === 0) counts.cut += together;
      for (const [at, answer] of answers.entries()) judge(questions[at], answer);
    }
    caller.close();
  }

  function judge(question: Question | undefined, answer: RawAnswer): void {
    if (!question) return;
    const text = answer.body.toString('latin1');
    const { nonce } = question;
    const strangers = (text.match(noncePattern) ?? []).filter((found) => found !== nonce);
    const note = `${answer.status} ${text.slice(0, 200)}`;
    if (strangers.length > 0) strayed.push(note);
    else if (troubleStatuses.includes(answer.status)) counts.failed += 1;
    else if (question.isRight(answer)) counts.right += 1;
    else wrong.push(note);
  }

  const trouble = makeTrouble(redis, callers, { everyMs: troubleEveryMs, signal: ended.signal });
  await Promise.all(Array.from({ length: connections }, (_, at) => ask(at)));
  ended.abort();
  await trouble;
  const { sent, right, failed, cut } = counts;
  const tookMs = performance.now() - startedMs;
  const [firstStrayed, firstWrong] = [strayed.slice(0, notesMax), wrong.slice(0, notesMax)];
  return { requests: sent, right, failed, cut, strayed: firstStrayed, wrong: firstWrong, tookMs };
}

/** By turns: cuts all connections of the keys, restarts Redis, stops it for a moment. */
async function makeTrouble(
  redis: RedisContainer,
  callers: readonly Bound[],
  { everyMs, signal }: { everyMs: number; signal: AbortSignal },
): Promise<void> {
  const cut = async (): Promise<void> => {
    for (const { key } of callers) await redis.admin.call('CLIENT', 'KILL', 'USER', key.id);
  };
  const restart = async (): Promise<void> => {
    await redis.restart();
    for (const bound of callers) await signUp(redis, bound);
  };
  const stall = async (): Promise<void> => {
    await redis.admin.call('DEBUG', 'SLEEP', '0.2');
    await cut();
  };
  for (let turn = 0; !signal.aborted; turn += 1) {
    await sleep(everyMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    // The admin's own connection may be the one that breaks: the next turn finds another.
    await [cut, restart, cut, stall][turn % 4]?.().catch(() => {});
    for (const bound of callers) await signUp(redis, bound).catch(() => {});
  }
}

function ask1(bound: Bound, turn: number): Question {
  const nonce = `n${randomBytes(12).toString('hex')}n`;
  const kind = kinds[turn % kinds.length] ?? echoInPath;
  return { nonce, ...kind(bound, nonce, turn) };
}

type Kind = (bound: Bound, nonce: string, turn: number) => Omit<Question, 'nonce'>;

const echoInPath: Kind = (bound, nonce) => ({
  bytes: toBytes(bound, { method: 'GET', path: `/echo/${nonce}` }),
  isRight: (answer) => isResult(answer, nonce),
});

const echoBig: Kind = (bound, nonce) => {
  const big = nonce.repeat(bigRepeats);
  return { bytes: toPost(bound, ['ECHO', big]), isRight: (answer) => isResult(answer, big) };
};

const echoInBase64: Kind = (bound, nonce) => ({
  bytes: toPost(bound, ['ECHO', nonce], { headers: { 'Upstash-Encoding': 'base64' } }),
  isRight: (answer) => isResult(answer, Buffer.from(nonce).toString('base64')),
});

const setAndGet: Kind = (bound, nonce) => ({
  bytes: toPost(bound, setGetAndDelete(nonce), { path: '/pipeline' }),
  isRight: (answer) => isPipelineOf(answer, ['OK', nonce, 1]),
});

const transaction: Kind = (bound, nonce) => ({
  bytes: toPost(bound, setGetAndDelete(nonce), { path: '/multi-exec' }),
  isRight: (answer) => isPipelineOf(answer, ['OK', nonce, 1]),
});

const script: Kind = (bound, nonce) => ({
  bytes: toPost(bound, ['EVAL', 'return ARGV[1]', 0, nonce]),
  isRight: (answer) => isResult(answer, nonce),
});

/** Any failure will do, as long as nobody else hears of it. */
const forgery: Kind = (bound, nonce, turn) => {
  const breaks = forgeries[turn % forgeries.length];
  const source = `return redis.error_reply('ERR ' .. ARGV[1] .. '${breaks}')`;
  return {
    bytes: toPost(bound, ['EVAL', source, 0, nonce]),
    isRight: ({ status, body }) => status === 400 && body.includes(nonce),
  };
};

const scriptError: Kind = (bound, nonce) => ({
  bytes: toPost(bound, ['EVAL', 'return redis.error_reply(ARGV[1])', 0, `ERR ${nonce}`]),
  isRight: ({ status, body }) => status === 400 && body.includes(nonce),
});

const pipelineWithForgery: Kind = (bound, nonce) => ({
  bytes: toPost(
    bound,
    [
      ['ECHO', nonce],
      ['EVAL', "return redis.error_reply('ERR x\\r\\n+FORGED')", 0],
      ['ECHO', nonce],
    ],
    { path: '/pipeline' },
  ),
  isRight: ({ status, body }) => status === 200 && !body.includes('result":"FORGED'),
});

const kinds: readonly Kind[] = [
  echoInPath,
  setAndGet,
  echoInBase64,
  echoInPath,
  script,
  transaction,
  echoInPath,
  scriptError,
  echoBig,
  echoInPath,
  setAndGet,
  forgery,
  echoInBase64,
  pipelineWithForgery,
];

function setGetAndDelete(nonce: string): unknown[][] {
  return [
    ['SET', `k:${nonce}`, nonce],
    ['GET', `k:${nonce}`],
    ['DEL', `k:${nonce}`],
  ];
}

function isResult({ status, body }: RawAnswer, result: unknown): boolean {
  return status === 200 && body.equals(Buffer.from(JSON.stringify({ result })));
}

function isPipelineOf({ status, body }: RawAnswer, results: readonly unknown[]): boolean {
  const expected = JSON.stringify(results.map((result) => ({ result })));
  if (status === 200 && body.equals(Buffer.from(expected))) return true;
  // A connection that broke fails the commands it carried, one by one or all at once.
  const hasOnlyErrors = /^\[(\{"error":"[^"]*"\},?)+\]$/.test(body.toString());
  return status === 200 && hasOnlyErrors;
}

function toPost(
  bound: Bound,
  command: unknown,
  { path = '', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Buffer {
  return toBytes(bound, { method: 'POST', path, headers, body: JSON.stringify(command) });
}

interface Wire {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function toBytes(
  { instanceId, secret }: Bound,
  { method, path, headers = {}, body }: Wire,
): Buffer {
  const lines = [
    `${method} /redis/${instanceId}${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${secret}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}
