/** Requests that are wrong in one way each, as bytes, with the statuses that they may get. */
import { malformedRequests } from './malformed-requests.ts';

export interface MalformedExchange {
  readonly what: string;
  readonly bytes: Buffer;
  readonly statuses: readonly number[];
}

interface Caller {
  readonly instanceId: string;
  readonly secret: string;
}

interface Parts {
  readonly method?: string;
  readonly target: string;
  readonly body?: string | Buffer | undefined;
  readonly headers?: readonly string[];
}

/** All of them, as a caller with a good key would send them. */
export function listMalformedExchanges(caller: Caller): MalformedExchange[] {
  return [
    ...brokenBodies(caller),
    ...brokenTargets(caller),
    ...wrongKeys(caller),
    ...wrongInstances(caller),
    ...wrongCommands(caller),
    ...wrongForms(caller),
    ...wrongMethods(caller),
    ...brokenHttp(caller),
  ];
}

const jsonBodies = malformedRequests.flatMap(([, body]) => (body === undefined ? [] : [body]));
const pipelineBodies = [
  '[[]]',
  '[["PING"],[]]',
  '[["PING"],null]',
  '[["PING"],"PING"]',
  '[["PING"],{"0":"PING"}]',
  '[["PING"],[["PING"]]]',
  '[["PING",null]]',
  '[["PING",{}]]',
  '[[""]]',
  '[[null]]',
  '["PING"]',
  JSON.stringify(Array.from({ length: 1_001 }, () => ['PING'])),
];

/** Bodies that are no JSON of commands, at each of the places that take one. */
function brokenBodies({ instanceId, secret }: Caller): MalformedExchange[] {
  const of = (path: string, bodies: readonly (string | Buffer)[]): MalformedExchange[] =>
    bodies.map((body) => ({
      what: `${path || 'command'}: ${String(body).slice(0, 40)}`,
      bytes: toBytes(secret, { method: 'POST', target: `/redis/${instanceId}${path}`, body }),
      statuses: [400],
    }));
  // A command's array of words is a pipeline's array of things that are no commands, and the other way.
  return [
    ...of('', [...jsonBodies, ...pipelineBodies.slice(0, -2)].filter(isNoQueryCase)),
    ...of('/pipeline', [...jsonBodies.filter(isNoPipeline), ...pipelineBodies]),
    ...of('/multi-exec', [...jsonBodies.filter(isNoPipeline), ...pipelineBodies]),
  ];
}

function isNoPipeline(body: string | Buffer): boolean {
  return body !== '[["GET","k"]]';
}

/** In the list these two are good bodies beside a query that is not. */
function isNoQueryCase(body: string | Buffer): boolean {
  return body !== '["SET","k","v"]' && body !== '["PING"]';
}

function brokenTargets({ instanceId, secret }: Caller): MalformedExchange[] {
  const listed = malformedRequests.flatMap(([target, body]) =>
    body === undefined ? [target] : [],
  );
  const more = [
    '/redis/i/pipeline',
    '/redis/i/multi-exec',
    '/redis/i/subscribe',
    '/redis/i/psubscribe/',
  ];
  return [...listed, ...more].map((target) => ({
    what: target,
    bytes: toBytes(secret, { target: target.replace('/redis/i', `/redis/${instanceId}`) }),
    statuses: [400],
  }));
}

function wrongKeys({ instanceId, secret }: Caller): MalformedExchange[] {
  const values = [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic dXNlcjpwYXNz',
    secret,
    `Token ${secret}`,
    `Bearer ${secret} x`,
    `Bearer ${secret.slice(1)}`,
    `Bearer ${secret}0`,
    `Bearer ${secret.toUpperCase()}`,
    `Bearer "${secret}"`,
    `Bearer ${'x'.repeat(5_000)}`,
    'Bearer sk_live_00000000000000000000000000000000',
    'Bearer null',
    'Bearer undefined',
  ];
  const target = `/redis/${instanceId}/ping`;
  const inQuery = ['', '?_token', '?_token=', '?_token=%', '?_token=%00', `?_token=${secret}x`];
  return [
    ...values.map((value) => ({
      what: `Authorization: ${String(value).slice(0, 20)}`,
      bytes: toBytes(undefined, {
        target,
        headers: value === undefined ? [] : [`Authorization: ${value}`],
      }),
      statuses: [401],
    })),
    ...inQuery.map((query) => ({
      what: `key in the query: ${query.slice(0, 20)}`,
      bytes: toBytes(undefined, { target: target + query }),
      statuses: [401],
    })),
  ];
}

function wrongInstances({ secret }: Caller): MalformedExchange[] {
  const ids = [
    '',
    'i',
    'inst_',
    'inst_aaaaaaaaaaaaaaaa',
    'INST_aaaaaaaaaaaaaaaa',
    '123e4567-e89b-12d3-a456-426614174000',
    '..',
    '%2e%2e',
    "'",
    "1'%20OR%20'1'='1",
    '%00',
    '%',
    '%ff',
    '$where',
    '__proto__',
    'constructor',
    '-1',
    'x'.repeat(3_000),
    '{}',
    '*',
  ];
  return ids.map((id) => ({
    what: `instance ${id.slice(0, 20)}`,
    bytes: toBytes(secret, { target: `/redis/${id}/ping` }),
    statuses: [404],
  }));
}

/** What Redis refuses, or the gateway before it. */
function wrongCommands({ instanceId, secret }: Caller): MalformedExchange[] {
  const commands: readonly (readonly unknown[])[] = [
    ['NOSUCHCOMMAND'],
    ['GET'],
    ['GET', 'a', 'b'],
    ['SET', 'k'],
    ['SET', 'k', 'v', 'XX', 'NX'],
    ['SET', 'k', 'v', 'EX', 'soon'],
    ['SET', 'k', 'v', 'EX', -1],
    ['SET', 'k', 'v', 'EX', 1.5],
    ['INCRBY', 'k', 'x'],
    ['INCRBY', 'k', '99999999999999999999'],
    ['EXPIRE', 'k', 'x'],
    ['SETRANGE', 'k', -1, 'x'],
    ['SETBIT', 'k', -1, 1],
    ['GETRANGE', 'k', 'a', 'b'],
    ['LPOP', 'k', -1],
    ['ZADD', 'z', 'x', 'm'],
    ['ZADD', 'z', 'nan', 'm'],
    ['XADD', 'x', '0-0', 'f', 'v'],
    ['XADD', 'x', 'id', 'f', 'v'],
    ['HSET', 'h', 'f'],
    ['GEOADD', 'g', 200, 200, 'm'],
    ['BITOP', 'NO', 'a', 'b'],
    ['EVAL', 'return', 'x'],
    ['EVAL', 'return +', 0],
    ['EVAL', 'return 1', 5, 'a'],
    ['EVAL', 'return redis.call("GET")', 0],
    ['EVALSHA', 'nosuchscript', 0],
    ['FCALL', 'nosuchfunction', 0],
    ['SCRIPT'],
    ['SCRIPT', 'NOSUCH'],
    ['OBJECT', 'ENCODING'],
    ['SCAN', 'x'],
    ['SCAN', 0, 'COUNT', 0],
    ['SORT'],
    ['CONFIG', 'GET', '*'],
    ['SHUTDOWN'],
    ['DEBUG', 'SLEEP', 1],
    ['ACL', 'LIST'],
    ['AUTH', 'x'],
    ['HELLO', 3],
    ['SELECT', 1],
    ['MULTI'],
    ['EXEC'],
    ['WATCH', 'k'],
    ['SUBSCRIBE', 'c'],
    ['MONITOR'],
    ['CLIENT', 'REPLY', 'OFF'],
    ['QUIT'],
    ['RESET'],
    ['\r\n'],
    ['GET\r\nGET'],
    ['*1\r\n$4\r\nPING\r\n'],
    ['\0'],
    ['😀'],
    ['x'.repeat(10_000)],
    [' GET', 'k'],
    [true],
    [1],
    [-0.5e-7],
  ];
  return commands.map((command) => ({
    what: JSON.stringify(command).slice(0, 40),
    bytes: toBytes(secret, {
      method: 'POST',
      target: `/redis/${instanceId}`,
      body: JSON.stringify(command),
    }),
    statuses: [400, 403],
  }));
}

function wrongForms({ instanceId, secret }: Caller): MalformedExchange[] {
  const target = `/redis/${instanceId}/ping`;
  const headers = [
    ['Upstash-Response-Format: resp3'],
    ['Upstash-Response-Format: json5'],
    ['Upstash-Response-Format: resp2', 'Upstash-Encoding: base64'],
  ];
  return headers.map((lines) => ({
    what: lines.join(', '),
    bytes: toBytes(secret, { target, headers: lines }),
    statuses: [400],
  }));
}

function wrongMethods({ instanceId, secret }: Caller): MalformedExchange[] {
  return ['DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'PURGE', 'LINK', 'SEARCH'].map((method) => ({
    what: method,
    bytes: toBytes(secret, { method, target: `/redis/${instanceId}/ping` }),
    statuses: [405],
  }));
}

/** What is no HTTP/1.1, or might be two requests to two readers: refused where it is read. */
function brokenHttp({ instanceId, secret }: Caller): MalformedExchange[] {
  const key = `Authorization: Bearer ${secret}\r\n`;
  const host = 'Host: x\r\n';
  const get = `GET /redis/${instanceId}/ping HTTP/1.1\r\n`;
  const post = `POST /redis/${instanceId} HTTP/1.1\r\n${host}${key}`;
  const texts = [
    '\r\n\r\n\0\r\n\r\n',
    'GET\r\n\r\n',
    `GET /redis/${instanceId}/ping\r\n\r\n`,
    `GET /redis/${instanceId}/ping HTTP/9.9\r\n\r\n`,
    `GET /redis/${instanceId}/pi ng HTTP/1.1\r\n${host}\r\n`,
    `NOSUCH /redis/${instanceId}/ping HTTP/1.1\r\n${host}\r\n`,
    `GET redis/${instanceId}/ping HTTP/1.1\r\n${host}\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '*1\r\n$4\r\nPING\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    `${get}\r\n`,
    `${get}${host}no colon\r\n\r\n`,
    `${get}${host}: no name\r\n\r\n`,
    `${get}${host}A B: space\r\n\r\n`,
    `${get}${host}X: a\0b\r\n\r\n`,
    `${get}${host}X: a\rb\r\n\r\n`,
    `${get}${host}Content-Length: -1\r\n\r\n`,
    `${get}${host}Content-Length: +4\r\n\r\n`,
    `${get}${host}Content-Length: 4, 5\r\n\r\n`,
    `${get}${host}Content-Length: 0x4\r\n\r\n`,
    `${get}${host}Content-Length: 99999999999999999999\r\n\r\n`,
    `${post}Content-Length: 4\r\nContent-Length: 5\r\n\r\n[1]`,
    `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    `${post}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n`,
    `${post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n`,
    `${post}Transfer-Encoding: chunked\r\n\r\n3\r\n[1]x\r\n0\r\n\r\n`,
    `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    `${get}${host}X: ${'x'.repeat(20_000)}\r\n\r\n`,
    `${get}${host}${'X: y\r\n'.repeat(5_000)}\r\n`,
    `GET /redis/${instanceId}/get/${'x'.repeat(20_000)} HTTP/1.1\r\n${host}${key}\r\n`,
  ];
  return texts.map((text) => ({
    what: JSON.stringify(text).slice(0, 60),
    bytes: Buffer.from(text, 'latin1'),
    // 401 where what is wrong is something that HTTP lets a reader overlook.
    statuses: [400, 401, 413, 431],
  }));
}

function toBytes(
  secret: string | undefined,
  { method = 'GET', target, body, headers = [] }: Parts,
): Buffer {
  const content = Buffer.from((body ?? '') as Buffer);
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    ...(secret === undefined ? [] : [`Authorization: Bearer ${secret}`]),
    ...headers,
    ...(body === undefined ? [] : [`Content-Length: ${content.length}`]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content]);
}
