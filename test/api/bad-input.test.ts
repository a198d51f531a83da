/** Bad input: the right status, a stable code, the field in question, a request id. Never a 500. */
import { request } from 'node:http';
import test from 'ava';
import { type Answer, type Api, newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { isProblem, pointersOf, startEmbeddedApi } from '../support/problems.ts';

const instances = '/api/v1/instances';

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
    const { api, isEmpty } = await startEmbeddedApi(t);
    isProblem(t, await api.own('post', instances, body), 'invalid_json');
    t.true(await isEmpty());
  });
}

for (const body of ['[]', 'null', '"text"', '7', '[{}]', '['.repeat(10_000) + ']'.repeat(10_000)]) {
  test(`a body that is JSON but no object is refused: ${body.slice(0, 10)}`, async (t) => {
    const { api } = await startEmbeddedApi(t);
    isProblem(t, await api.own('post', instances, body), 'invalid_request');
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
    const { api } = await startEmbeddedApi(t);
    const answer = await api.call('post', instances, {
      key: api.owner.secret,
      body: JSON.stringify(newInstance(api.owner)),
      headers: { 'Content-Type': type },
    });
    isProblem(t, answer, 'unsupported_media_type');
  });
}

test('a create without a body is refused', async (t) => {
  const { api } = await startEmbeddedApi(t);
  isProblem(t, await api.own('post', instances), 'unsupported_media_type');
});

test('JSON with a charset or of a +json type is taken', async (t) => {
  const { api } = await startEmbeddedApi(t);
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
    const { api, isEmpty } = await startEmbeddedApi(t);
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
      const { api } = await startEmbeddedApi(t);
      const answer = await api.own('get', instances + query);
      isProblem(t, answer, 'invalid_request');
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

testOnEachDatabase('an id that no thing can have is one that does not exist', async (t, orm) => {
  const api = await startApi(t, orm);
  for (const id of strangeIds) {
    for (const [method, path] of [
      ['get', `${instances}/${id}`],
      ['delete', `${instances}/${id}`],
      ['post', `${instances}/${id}/retry`],
      ['get', `/api/v1/operations/${id}`],
      ['get', `${instances}?organizationId=${id}`],
    ] as const) {
      const { status } = await api.own(method, path);
      t.true(status === 404 || status === 400, `${method} ${path}: ${status}`);
    }
  }
});

test('an id of more than 64 characters is refused by name', async (t) => {
  const { api } = await startEmbeddedApi(t);
  const answer = await api.own('get', `${instances}/${'x'.repeat(65)}`);
  isProblem(t, answer, 'invalid_request');
  t.is(answer.body.errors[0].pointer, 'instanceId');
});

test('a path that does not exist is told from a thing that does not', async (t) => {
  const { api } = await startEmbeddedApi(t);
  for (const path of ['/', '/api', '/api/v1', '/api/v2/instances', '/redis', '//']) {
    isProblem(t, await api.own('get', path), 'route_not_found');
  }
});

test('the page that a problem points to is served, and has its code', async (t) => {
  const { api } = await startEmbeddedApi(t);
  const { body } = await api.own('get', '/none');
  const [path = '', code] = body.type.split('#');
  const page = await api.call('get', path);
  t.is(page.status, 200);
  t.true(page.text.includes(`\n## ${code}\n`) || page.text.includes(`\n## \`${code}\`\n`));
});

test('a method that a path does not take is refused with those it takes', async (t) => {
  const { api } = await startEmbeddedApi(t);
  for (const [method, path, allowed] of [
    ['put', `${instances}/x`, ['GET', 'PATCH', 'DELETE']],
    ['options', `${instances}/x`, ['GET', 'PATCH', 'DELETE']],
    ['patch', `${instances}/x/retry`, ['POST']],
    ['delete', instances, ['GET', 'POST']],
    ['post', '/healthz', ['GET']],
    ['post', '/openapi.json', ['GET']],
  ] as const) {
    const answer = await api.own(method, path);
    isProblem(t, answer, 'method_not_allowed');
    const methods = answer.headers.get('Allow')?.split(', ') ?? [];
    t.deepEqual(methods.filter((name) => name !== 'HEAD').sort(), [...allowed].sort());
  }
});

test("a caller's request id is kept where it is harmless, and replaced where not", async (t) => {
  const { api } = await startEmbeddedApi(t);
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
    isProblem(t, answer, 'route_not_found');
    t.regex(answer.body.requestId, /^req_[a-z2-7]{16}$/);
  }
});
