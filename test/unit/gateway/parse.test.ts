import test from 'ava';
import fc from 'fast-check';
import {
  type Command,
  parseChannels,
  parseCommand,
  parsePipeline,
  type RouteKind,
  splitTarget,
  type Target,
} from '../../../src/gateway/parse.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { malformedRequests } from './malformed-requests.ts';

function target(url: string): Target {
  const found = splitTarget(url);
  if (!found) throw new Error(`not the gateway's: ${url}`);
  return found;
}

function parse(url: string, body?: string | Buffer): Command {
  return parseCommand(target(url), body === undefined ? undefined : Buffer.from(body as string));
}

const paths: readonly [string, string | undefined, string[]][] = [
  ['/redis/i/get/k', undefined, ['GET', 'k']],
  ['/redis/i/GeT/k', undefined, ['GET', 'k']],
  ['/redis/i//get/k', undefined, ['GET', 'k']],
  ['/redis/i/ping', undefined, ['PING']],
  ['/redis/i/ping', '', ['PING']],
  ['/redis/i/set/a%2Fb/c%20d', undefined, ['SET', 'a/b', 'c d']],
  ['/redis/i/set/a+b/%2B', undefined, ['SET', 'a+b', '+']],
  ['/redis/i/set/k/', undefined, ['SET', 'k', '']],
  ['/redis/i/set//v', undefined, ['SET', '', 'v']],
  ['/redis/i/set/k/v?EX=100', undefined, ['SET', 'k', 'v', 'EX', '100']],
  ['/redis/i/set/k/v?EX=100&NX', undefined, ['SET', 'k', 'v', 'EX', '100', 'NX']],
  ['/redis/i/set/k/v?NX&_token=x&EX=1', undefined, ['SET', 'k', 'v', 'NX', 'EX', '1']],
  ['/redis/i/set/k/v?&&NX&', undefined, ['SET', 'k', 'v', 'NX']],
  ['/redis/i/set/k/v?a=b=c', undefined, ['SET', 'k', 'v', 'a', 'b=c']],
  ['/redis/i/set/k/v?a+b=c%2Bd', undefined, ['SET', 'k', 'v', 'a b', 'c+d']],
  ['/redis/i/set/k/v?a=', undefined, ['SET', 'k', 'v', 'a', '']],
  ['/redis/i/echo/?', undefined, ['ECHO', '']],
  ['/redis/i/set/k', '{"a":[1,null]}', ['SET', 'k', '{"a":[1,null]}']],
  ['/redis/i/set/k?EX=9', 'v', ['SET', 'k', 'v', 'EX', '9']],
  ['/redis/i/get/%F0%9F%98%80', undefined, ['GET', '😀']],
  ['/redis/i/get/%e2%82%ac', undefined, ['GET', '€']],
  ['/redis/i/get/%00', undefined, ['GET', '\0']],
  ['/redis/i/get/%0d%0a', undefined, ['GET', '\r\n']],
  ['/redis/i/get/..', undefined, ['GET', '..']],
  ['http://host:80/redis/i/get/k', undefined, ['GET', 'k']],
  ['/redis/i', '["SET","k","v"]', ['SET', 'k', 'v']],
  ['/redis/i/', '["ping"]', ['PING']],
  ['/redis/i?_token=x', '["ping"]', ['PING']],
  ['/redis/i', '\uFEFF["ping"]', ['PING']],
  ['/redis/i', ' [ "SET" , "k" , 1.0 ] ', ['SET', 'k', '1.0']],
  ['/redis/i', '["SET","k",9007199254740993]', ['SET', 'k', '9007199254740993']],
  ['/redis/i', '["SET","k",-0,1e999,0.1e-5]', ['SET', 'k', '-0', '1e999', '0.1e-5']],
  ['/redis/i', '["SET","k",true,false]', ['SET', 'k', 'true', 'false']],
  ['/redis/i', '["SET","k","","\\u0000\\r\\n"]', ['SET', 'k', '', '\0\r\n']],
  ['/redis/i', '["SET","k","1.0",1.0]', ['SET', 'k', '1.0', '1.0']],
];

for (const [url, body, expected] of paths) {
  test(`${JSON.stringify(body)} to ${url} is ${JSON.stringify(expected)}`, (t) => {
    const { name, args } = parse(url, body);
    t.deepEqual([name, ...args.map(String)], expected);
  });
}

test('bytes that are no UTF-8 reach the command as they are, from path and body', (t) => {
  const bytes = Buffer.from([0xff, 0x00, 0xc3, 0x28]);
  t.deepEqual(parse('/redis/i/set/%ff%00%c3%28').args, [bytes]);
  t.deepEqual(parse('/redis/i/set/k', bytes).args[1], bytes);
  // Node gives unescaped bytes above 0x7f as Latin-1.
  t.deepEqual(parse('/redis/i/get/\u00c3\u00a9').args, ['é']);
});

test('any string that is encoded as a path segment comes back as that one argument', (t) => {
  let seed = 20240607;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >>> 8) % below;
  };
  const alphabets = ['/%?&=#+. ', 'abcXYZ019', '\r\n\t\0"\\', 'äß€漢', '😀𝕏\u{10ffff}'].map(
    (text) => [...text],
  );
  for (let round = 0; round < 5_000; round++) {
    const texts = Array.from({ length: random(4) }, () =>
      Array.from({ length: random(12) }, () => {
        const alphabet = alphabets[random(alphabets.length)] as string[];
        return alphabet[random(alphabet.length)];
      }).join(''),
    );
    const path = ['', ...texts.map((text) => encodeURIComponent(text))].join('/');
    t.deepEqual(parse(`/redis/i/cmd${path}`).args, texts);
    t.deepEqual(parse('/redis/i', JSON.stringify(['cmd', ...texts])).args, texts);
  }
});

test('an array of more arguments than a function takes is one command', (t) => {
  const args = Array.from({ length: 300_000 }, (_, index) => index);
  t.is(parse('/redis/i', JSON.stringify(['DEL', ...args])).args.length, args.length);
});

for (const url of ['/', '/redis', '/redi', '/api/redis/x', '*', '//redis/x', 'host:443', '']) {
  test(`the path "${url}" is not the gateway's`, (t) => {
    t.is(splitTarget(url), undefined);
  });
}

const kinds: readonly [string, RouteKind][] = [
  ['/redis/i', 'command'],
  ['/redis/i/', 'command'],
  ['/redis/i/get/pipeline', 'command'],
  ['/redis/i/pipeline', 'pipeline'],
  ['/redis/i//pipeline', 'pipeline'],
  ['/redis/i/PipeLine/', 'pipeline'],
  ['/redis/i/pipeline?_token=x', 'pipeline'],
  ['/redis/i/pipeline/x', 'command'],
  ['/redis/i/pipelines', 'command'],
  ['/redis/i/multi-exec', 'multi-exec'],
  ['/redis/i/MULTI-EXEC', 'multi-exec'],
  ['/redis/i/multi', 'command'],
  ['/redis/i/monitor', 'monitor'],
  ['/redis/i/monitor/x', 'command'],
  ['/redis/i/subscribe/a', 'subscribe'],
  ['/redis/i/Subscribe/a/b', 'subscribe'],
  ['/redis/i//psubscribe/a*', 'psubscribe'],
  ['/redis/i/ssubscribe/a', 'command'],
  ['/redis/i/publish/a/b', 'command'],
];

for (const [url, kind] of kinds) {
  test(`the route of ${url} is ${kind}`, (t) => {
    t.is(target(url).kind, kind);
    t.is(target(url).instanceId, 'i');
  });
}

test('the channels of a subscription are decoded one by one, the query is none of them', (t) => {
  const read = (path: string) => parseChannels(target(`/redis/i${path}`)).map(String);
  t.deepEqual(read('/subscribe/a'), ['a']);
  t.deepEqual(read('/subscribe/a%2Fb/c?_token=x'), ['a/b', 'c']);
  t.deepEqual(read('/psubscribe/user:*'), ['user:*']);
  t.deepEqual(read('/psubscribe/%F0%9F%98%80*'), ['😀*']);
  for (const path of ['/subscribe', '/subscribe/', '/psubscribe//', '/subscribe?x']) {
    t.throws(() => read(path), { instanceOf: AppError, message: /no channel/ }, path);
  }
});

test('a prefix before /redis/ is taken off, and needed, where one is given', (t) => {
  const found = splitTarget('/cache/redis/i/get/k?x', '/cache/redis/');
  t.like(found, { kind: 'command', instanceId: 'i', path: 'get/k', query: 'x' });
  t.is(splitTarget('/redis/i/get/k', '/cache/redis/'), undefined);
});

/** Sources of JSON numbers, with the oddities that a double does not keep. */
const numbers = fc.oneof(
  fc.integer().map(String),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => JSON.stringify(value)),
  fc.bigInt().map(String),
  fc.constantFrom('-0', '0', '1.0', '1e2', '1E+2', '10e-1', '1e999', '-1.50', '0.10'),
);
const spaces = fc.constantFrom('', ' ', '\n', '\t\r ');
/** A value's JSON, and the argument that it is. */
const values = fc.oneof(
  numbers.map((source): [string, string] => [source, source]),
  fc.string({ unit: 'binary' }).map((text): [string, string] => [JSON.stringify(text), text]),
  fc
    .constantFrom('1.0', ',1e2', '[1.5]', '",2.0', '\\", 3.0, "', 'null')
    .map((text): [string, string] => [JSON.stringify(text), text]),
  fc.boolean().map((value): [string, string] => [String(value), String(value)]),
);

test('in any array of strings, numbers and booleans every number keeps its source text', (t) => {
  const rows = fc.array(fc.array(fc.tuple(spaces, values, spaces), { maxLength: 8 }), {
    minLength: 1,
    maxLength: 4,
  });
  const check = fc.property(rows, (commands) => {
    const sources = commands.map((row) =>
      ['"c"', ...row.map(([before, [source], after]) => before + source + after)].join(','),
    );
    const expected = commands.map((row) => row.map(([, [, argument]]) => argument));
    const [first = ''] = sources;
    const body = `[${sources.map((source) => `[${source}]`).join(' , ')}]`;
    t.deepEqual(
      parsePipeline(Buffer.from(body)).map(({ args }) => args),
      expected,
    );
    t.deepEqual(parse('/redis/i', `[${first}]`).args, expected[0]);
  });
  fc.assert(check, { numRuns: 500 });
});

test('a null says which argument it is, and that undefined becomes null in JSON', (t) => {
  t.throws(() => parse('/redis/i', '["SET","k",null]'), {
    message: /^ERR failed to parse command: element 2 .* was an argument undefined\?$/,
  });
  t.throws(() => parsePipeline(Buffer.from('[["GET","k"],["GET",null]]')), {
    message: /command 1: element 1 .* undefined/,
  });
});

test('a pipeline and a transaction hold as many commands as they are told', (t) => {
  const body = Buffer.from(JSON.stringify([['A'], ['B'], ['C']]));
  t.is(parsePipeline(body, 'pipeline', 3).length, 3);
  t.throws(() => parsePipeline(body, 'pipeline', 2), { message: /a pipeline holds at most 2/ });
  t.throws(() => parsePipeline(body, 'transaction', 2), {
    message: /a transaction holds at most 2 commands/,
  });
  t.throws(() => parsePipeline(undefined), { message: /POST a JSON array/ });
});

test('there are more than sixty malformed requests in the table', (t) => {
  t.true(malformedRequests.length > 60, String(malformedRequests.length));
});

for (const [index, [url, body]] of malformedRequests.entries()) {
  const shown = JSON.stringify(String(body).slice(0, 30));
  test(`malformed ${index}: ${shown} to ${url} is a 400 that does not quote it`, (t) => {
    const error = t.throws(() => parse(url, body), { instanceOf: AppError });
    t.is(error.status, 400);
    t.regex(error.message, /^[\x20-\x7e]{10,200}$/);
  });
}
