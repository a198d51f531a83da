/** Bad input: the right status, a stable code, the field in question, a request id. Never a 500. */
import { request } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { evictionPolicies } from '../../src/instances/eviction-policies.ts';
import { defaultTier, memoryBounds } from '../../src/instances/plans.ts';
import { type ErrorCode, errorCatalogue } from '../../src/lib/errors.ts';
import { newId } from '../../src/lib/ids.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { type Answer, type Api, newInstance, startApi } from '../support/api.ts';
import { openTestDatabase, testOnEachDatabase } from '../support/databases.ts';

const instances = '/api/v1/instances';
const { minBytes, maxBytes } = memoryBounds(defaultTier);
const keyIds = (count: number): string[] => Array.from({ length: count }, () => newId('key'));

/** Changes of the documented example that make it wrong, by the fields that must be named. */
const wrongFields: Record<string, Record<string, unknown>> = {
  '/organizationId': { missing: undefined, number: 1, null: null, 'too long': 'o'.repeat(65) },
  '/name': {
    missing: undefined,
    empty: '',
    'too long': 'x'.repeat(65),
    'a number': 7,
    'a line break': 'a\nb',
    'a NUL': 'a\u0000b',
    'an escape': 'a\u001b[31mb',
    'a C1 control': 'a\u0085b',
    'text that runs the other way': 'a\u202eb',
    'a zero-width character': 'a\u200bb',
    'a line separator': 'a\u2028b',
    'half a character': 'a\ud800b',
    'a blank before it': ' a',
    'a blank after it': 'a ',
    'only blanks': '   ',
  },
  '/maxMemory': {
    missing: undefined,
    'too small': minBytes - 1,
    'too big': maxBytes + 1,
    zero: 0,
    negative: -536_870_912,
    'a fraction': minBytes + 0.5,
    'a text': '536870912',
    'beyond whole numbers': 1e300,
  },
  '/region': { missing: undefined, unknown: 'us-east', empty: '', 'upper case': 'EU-CENTRAL' },
  '/evictionPolicy': {
    unknown: 'lru',
    null: null,
    'upper case': 'NOEVICTION',
    injected: 'noeviction\nsave',
  },
  '/persistence': { 'a text': 'true', 'a number': 1, null: null },
  '/apiKeyIds': { 'no list': 'key_a', 'too many': keyIds(65), twice: Array(2).fill(newId('key')) },
  '/apiKeyIds/0': {
    'no id': ['key_xyz'],
    'an id of something else': [newId('inst')],
    null: [null],
  },
  '/apiKeyIds/1': { 'no id': [newId('key'), "' or 1=1"] },
  '/colour': { 'a field that does not exist': 'red' },
  '/status': { 'a field that is not for callers': 'RUNNING' },
  '/__proto__': { 'a field with a meaning': { a: 1 } },
  '/a~1b~0c': { 'a field whose name needs escapes': 1 },
};

for (const [pointer, cases] of Object.entries(wrongFields)) {
  for (const [what, value] of Object.entries(cases)) {
    test(`a create is refused for ${pointer}: ${what}`, async (t) => {
      const { api, isEmpty } = await start(t);
      const name = pointer.split('/')[1]?.replace('~1', '/').replace('~0', '~') ?? '';
      const answer = await api.own('post', instances, bodyWith(api, name, value));
      problem(t, answer, 'invalid_request');
      t.deepEqual(pointersOf(answer), [pointer]);
      t.true(answer.body.detail.includes(pointer));
      for (const { detail } of answer.body.errors) t.true(detail.length > 0);
      t.true(await isEmpty());
    });
  }
}

/** As text, since a `__proto__` of an object literal is no field. */
function bodyWith({ owner }: Api, name: string, value: unknown): string {
  const { [name]: _, ...rest } = newInstance(owner) as Record<string, unknown>;
  const field = value === undefined ? '' : `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
  return JSON.stringify(rest).replace(/\}$/, `${field}}`);
}

test('every field that is wrong is named, not only the first', async (t) => {
  const { api } = await start(t);
  const wrong = { name: '', maxMemory: 1, region: 'x', evictionPolicy: 'x', colour: 'red' };
  const answer = await api.own('post', instances, newInstance(api.owner, wrong));
  problem(t, answer, 'invalid_request');
  t.deepEqual(pointersOf(answer), ['/colour', '/evictionPolicy', '/maxMemory', '/name', '/region']);
});

const rightFields: Record<string, unknown>[] = [
  { maxMemory: minBytes },
  { maxMemory: maxBytes },
  { name: 'x' },
  { name: 'x'.repeat(64) },
  { name: 'Кэш 1 – "naïve" 日本' },
  { persistence: true },
  { apiKeyIds: [] },
  ...evictionPolicies.map((evictionPolicy) => ({ evictionPolicy })),
];

for (const fields of rightFields) {
  test(`a create is taken with ${JSON.stringify(fields).slice(0, 60)}`, async (t) => {
    const { api } = await start(t);
    t.is((await api.own('post', instances, newInstance(api.owner, fields))).status, 201);
  });
}

const notJson: Record<string, string | Uint8Array> = {
  'broken JSON': '{"name": "my-cache"',
  'no JSON': 'name=my-cache',
  'two values': '{} {}',
  'a trailing comma': '{"a":1,}',
  nothing: '',
  'binary data': new Uint8Array([0, 255, 254, 1]),
};

for (const [what, body] of Object.entries(notJson)) {
  test(`a body of ${what} is refused as no JSON`, async (t) => {
    const { api, isEmpty } = await start(t);
    problem(t, await api.own('post', instances, body), 'invalid_json');
    t.true(await isEmpty());
  });
}

for (const body of ['[]', 'null', '"text"', '7', '[{}]', '['.repeat(10_000) + ']'.repeat(10_000)]) {
  test(`a body that is JSON but no object is refused: ${body.slice(0, 10)}`, async (t) => {
    const { api } = await start(t);
    problem(t, await api.own('post', instances, body), 'invalid_request');
  });
}

for (const type of [
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/xml',
  'json',
  '',
]) {
  test(`a body of type "${type}" is refused`, async (t) => {
    const { api } = await start(t);
    const answer = await api.call('post', instances, {
      key: api.owner.secret,
      body: JSON.stringify(newInstance(api.owner)),
      headers: { 'Content-Type': type },
    });
    problem(t, answer, 'unsupported_media_type');
  });
}

test('a create without a body is refused', async (t) => {
  const { api } = await start(t);
  problem(t, await api.own('post', instances), 'unsupported_media_type');
});

test('JSON with a charset or of a +json type is taken', async (t) => {
  const { api } = await start(t);
  for (const type of ['application/json; charset=utf-8', 'application/vnd.api+json']) {
    const answer = await api.call('post', instances, {
      key: api.owner.secret,
      body: JSON.stringify(newInstance(api.owner)),
      headers: { 'Content-Type': type },
    });
    t.is(answer.status, 201, type);
  }
});

for (const [form, isChunked] of Object.entries({
  'announced by its length': false,
  streamed: true,
})) {
  test(`a body that is too big is refused, ${form}`, async (t) => {
    const { api, isEmpty } = await start(t);
    for (const size of [64 * 1024 + 1, 256 * 1024]) {
      const { status, contentType, body } = await sendBig(api, size, isChunked);
      t.is(status, 413);
      t.is(contentType, 'application/problem+json');
      t.is(body.code, 'body_too_large');
      t.true(body.detail.includes('65536'));
    }
    t.true(await isEmpty());
  });
}

/** Sends with node:http, which reads the answer even where the rest of the body is not wanted. */
function sendBig(
  { url, owner }: Api,
  size: number,
  isChunked: boolean,
): Promise<{ status: number; contentType: string; body: { code: string; detail: string } }> {
  return new Promise((resolve, reject) => {
    const headers = {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${owner.secret}`,
      ...(isChunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': size }),
    };
    const sent = request(url + instances, { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => {
        const contentType = response.headers['content-type'] ?? '';
        resolve({ status: response.statusCode ?? 0, contentType, body: JSON.parse(text) });
      });
    });
    sent.on('error', reject).end(`"${'x'.repeat(size - 2)}"`);
  });
}

const wrongQueries: Record<string, string[]> = {
  organizationId: [
    '',
    '?',
    `?organizationId=${'o'.repeat(65)}`,
    '?organizationId=a&organizationId=b',
  ],
  colour: ['?organizationId=org_a&colour=red'],
};

for (const [field, queries] of Object.entries(wrongQueries)) {
  for (const query of queries) {
    test(`a list is refused for ${field}: "${query.slice(0, 40)}"`, async (t) => {
      const { api } = await start(t);
      const answer = await api.own('get', instances + query);
      problem(t, answer, 'invalid_request');
      t.deepEqual(pointersOf(answer), [field]);
    });
  }
}

const strangeIds = [
  '%00',
  'inst_%00',
  '..%2f..%2fetc%2fpasswd',
  '%2e%2e',
  "'%20or%201=1--",
  '%F0%9F%8C%8D',
  'inst_%ED%A0%80',
  '%E0%A4%A',
  '%',
  'x'.repeat(64),
];

for (const id of strangeIds) {
  testOnEachDatabase(
    `an id like "${id.slice(0, 20)}" is one that does not exist`,
    async (t, orm) => {
      const api = await startApi(t, orm);
      for (const [method, path] of [
        ['get', `${instances}/${id}`],
        ['delete', `${instances}/${id}`],
        ['post', `${instances}/${id}/retry`],
        ['get', `/api/v1/operations/${id}`],
      ] as const) {
        const { status } = await api.own(method, path);
        t.true(status === 404 || status === 400, `${method} ${path}: ${status}`);
      }
      const query = await api.own('get', `${instances}?organizationId=${id}`);
      t.true(query.status === 404 || query.status === 400, `list: ${query.status}`);
    },
  );
}

test('an id of more than 64 characters is refused by name', async (t) => {
  const { api } = await start(t);
  const answer = await api.own('get', `${instances}/${'x'.repeat(65)}`);
  problem(t, answer, 'invalid_request');
  t.is(answer.body.errors[0].pointer, 'instanceId');
});

test('a path that does not exist is told from a thing that does not', async (t) => {
  const { api } = await start(t);
  for (const path of ['/', '/api', '/api/v1', '/api/v2/instances', '/redis', '//']) {
    problem(t, await api.own('get', path), 'route_not_found');
  }
});

test('a method that a path does not take is refused with those it takes', async (t) => {
  const { api } = await start(t);
  for (const [method, path, allowed] of [
    ['put', `${instances}/x`, ['GET', 'DELETE']],
    ['delete', instances, ['GET', 'POST']],
    ['post', '/healthz', ['GET']],
    ['post', '/openapi.json', ['GET']],
  ] as const) {
    const answer = await api.own(method, path);
    problem(t, answer, 'method_not_allowed');
    const methods = answer.headers.get('Allow')?.split(', ') ?? [];
    t.deepEqual(methods.filter((name) => name !== 'HEAD').sort(), [...allowed].sort());
  }
});

test("a caller's request id is kept where it is harmless, and replaced where not", async (t) => {
  const { api } = await start(t);
  const ask = (id: string): Promise<Answer> => {
    return api.call('get', '/none', { headers: { 'X-Request-Id': id } });
  };
  for (const id of ['abc-123', 'A.b_c', 'x'.repeat(64)]) {
    const answer = await ask(id);
    t.is(answer.body.requestId, id);
    t.is(answer.headers.get('X-Request-Id'), id);
  }
  for (const id of ['<script>', 'a b', 'x'.repeat(65), '{"a":1}']) {
    const answer = await ask(id);
    problem(t, answer, 'route_not_found');
    t.regex(answer.body.requestId, /^req_[a-z2-7]{16}$/);
  }
});

async function start(t: ExecutionContext) {
  const orm = await openTestDatabase(t);
  const api = await startApi(t, orm);
  const isEmpty = async (): Promise<boolean> => {
    return (await orm.em.fork().count(InstanceEntity, {})) === 0 && api.wakes() === 0;
  };
  return { api, isEmpty };
}

/** The fields that an answer names, each once. */
function pointersOf({ body }: Answer): string[] {
  const problems: { pointer: string }[] = body.errors ?? [];
  return [...new Set(problems.map(({ pointer }) => pointer))].sort();
}

/** An RFC 9457 answer with everything that this service promises in one. */
function problem(t: ExecutionContext, { status, headers, body }: Answer, code: ErrorCode): void {
  const entry = errorCatalogue[code];
  t.is(body?.code, code, JSON.stringify(body));
  t.is(status, entry.status);
  t.is(headers.get('Content-Type'), 'application/problem+json');
  const { detail, requestId, errors, ...rest } = body;
  t.deepEqual(rest, {
    type: `/docs/errors.md#${code}`,
    title: entry.title,
    status: entry.status,
    code,
    remedy: entry.remedy,
  });
  t.true(detail.length > 0);
  t.is(requestId, headers.get('X-Request-Id'));
  t.is(errors === undefined, code !== 'invalid_request');
}
