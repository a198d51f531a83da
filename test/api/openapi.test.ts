/** /openapi.json: a whole OpenAPI 3.1 document of the routes there are. */
import test from 'ava';
import { createOpenApiDocument, documentPath } from '../../src/http/openapi.ts';
import { routes } from '../../src/http/routes/index.ts';
import { errorCatalogue } from '../../src/lib/errors.ts';
import { startApi } from '../support/api.ts';
import { openTestDatabase } from '../support/databases.ts';

interface Parameter {
  name: string;
  in: string;
  required: boolean;
  schema: object;
}

interface Response {
  description: string;
  headers: Record<string, object>;
  content?: Record<string, { schema: object; example?: unknown; examples?: object }>;
}

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security: object[];
  parameters: Parameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: object }> };
  responses: Record<string, Response>;
}

interface OpenApi {
  openapi: string;
  info: { title: string; version: string };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, object>>;
}

// What goes over the wire is JSON: undefined and the like are no part of it.
const document: OpenApi = JSON.parse(JSON.stringify(createOpenApiDocument(routes)));
const operations = Object.entries(document.paths).flatMap(([path, methods]) => {
  return Object.entries(methods).map(([method, operation]) => ({ method, path, operation }));
});

test('the document is public and is the one of the routes', async (t) => {
  const { call } = await startApi(t, await openTestDatabase(t));
  const { status, headers, body } = await call('get', '/openapi.json');
  t.is(status, 200);
  t.regex(headers.get('Content-Type') ?? '', /^application\/json/);
  t.deepEqual(body, document);
});

test('it is OpenAPI 3.1 with a title, a version and this server', (t) => {
  t.regex(document.openapi, /^3\.1\.\d+$/);
  t.truthy(document.info.title);
  t.truthy(document.info.version);
  t.deepEqual(document.servers, [{ url: '/' }]);
});

test('it has every route, and beside them only the commands', (t) => {
  t.deepEqual(
    operations
      .filter(({ path }) => !path.startsWith('/redis/'))
      .map(({ method, path }) => `${method} ${path}`)
      .sort(),
    routes.map(({ method, path }) => `${method} ${documentPath(path)}`).sort(),
  );
  t.deepEqual(
    operations.filter(({ path }) => path.startsWith('/redis/')).map(({ path }) => path),
    [
      '/redis/{instanceId}',
      '/redis/{instanceId}/{command}/{argument}',
      '/redis/{instanceId}/pipeline',
      '/redis/{instanceId}/multi-exec',
      '/redis/{instanceId}/subscribe/{channel}',
      '/redis/{instanceId}/psubscribe/{pattern}',
      '/redis/{instanceId}/monitor',
    ],
  );
});

test('every command shows its answers with examples, a stream as server-sent events', (t) => {
  for (const { path, operation } of operations) {
    if (!path.startsWith('/redis/')) continue;
    const isStream = /\/(p?subscribe\/|monitor)/.test(path);
    const [[type, shown] = []] = Object.entries(operation.responses['200']?.content ?? {});
    t.is(type, isStream ? 'text/event-stream' : 'application/json', path);
    t.truthy(shown?.example, path);
    if (isStream) t.regex(String(shown?.example), /^(data: .+\n\n)+$/);
    const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    t.deepEqual(
      operation.parameters.map(({ name }) => name),
      wanted,
    );
  }
});

for (const route of routes) {
  const name = `${route.method} ${route.path}`;
  const path = documentPath(route.path);
  const operation = document.paths[path]?.[route.method] as Operation;
  const problems = Object.entries(operation.responses).filter(([status]) => !/^[23]/.test(status));

  test(`${name} is described whole`, (t) => {
    t.truthy(operation.summary);
    const security = [{ accountKey: [] }, { session: [] }];
    t.deepEqual(operation.security, route.access === 'public' ? [] : security);
    const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
    const declared = operation.parameters.filter((parameter) => parameter.in === 'path');
    t.deepEqual(
      declared.map((parameter) => parameter.name),
      wanted,
    );
    for (const { required, schema } of declared) {
      t.true(required);
      t.truthy(schema);
    }
    const hasBody = operation.requestBody?.content['application/json']?.schema !== undefined;
    t.is(hasBody, route.body !== undefined);
  });

  test(`${name} lists its answers, each with a schema and an example`, (t) => {
    for (const [status, answer] of Object.entries(route.answers)) {
      const { description, content, headers } = operation.responses[status] as Response;
      t.truthy(description);
      t.truthy(headers['X-Request-Id']);
      for (const header of answer.headers ?? []) t.truthy(headers[header], header);
      if (status === '204') {
        t.is(content, undefined);
        continue;
      }
      const [media] = Object.values(content ?? {});
      t.truthy(media?.schema);
      t.true(media?.example !== undefined || media?.examples !== undefined);
    }
  });

  test(`${name} lists its errors by status, each code with an example`, (t) => {
    for (const [status, { content }] of problems) {
      if (status in route.answers) continue;
      const media = content?.['application/problem+json'];
      t.deepEqual(media?.schema, { $ref: '#/components/schemas/Problem' });
      if (status === 'default') continue;
      for (const code of Object.keys(media?.examples ?? {})) {
        t.is(String(errorCatalogue[code as keyof typeof errorCatalogue].status), status);
      }
    }
    t.true('default' in operation.responses);
    t.true('401' in operation.responses || route.access === 'public');
    for (const code of route.errors ?? []) {
      t.true(String(errorCatalogue[code].status) in operation.responses, code);
    }
  });
}

test('every operation has an id of its own that reads like a deed', (t) => {
  const ids = operations.map(({ operation }) => operation.operationId);
  t.is(new Set(ids).size, ids.length);
  for (const id of ids) t.regex(id, /^[a-z]+([A-Z][a-z]+)*$/);
});

test('every operation stands in one group that is described', (t) => {
  const names = document.tags.map(({ name }) => name);
  for (const { description } of document.tags) t.truthy(description);
  for (const { operation, path } of operations) {
    t.is(operation.tags.length, 1);
    t.true(names.includes(operation.tags[0] ?? ''), path);
  }
});

test('every reference leads somewhere, and everything referred to is there', (t) => {
  const text = JSON.stringify(document);
  const references = new Set(
    [...text.matchAll(/"\$ref":"#\/components\/(\w+\/[\w-]+)"/g)].map(([, name]) => name),
  );
  t.is(text.match(/"\$ref":"/g)?.length, text.match(/"\$ref":"#\/components\//g)?.length);
  const { securitySchemes: _, ...parts } = document.components;
  const there = Object.entries(parts).flatMap(([part, things]) => {
    return Object.keys(things).map((name) => `${part}/${name}`);
  });
  t.deepEqual([...references].sort(), there.sort());
});

test('the ways to authenticate are described as what they are', (t) => {
  t.like(document.components.securitySchemes, {
    accountKey: { type: 'http', scheme: 'bearer' },
    session: { type: 'apiKey', in: 'cookie', name: '__Host-swiftcache-session' },
    dataKey: { type: 'http', scheme: 'bearer' },
  });
});

test('a create is described with the bounds that it is checked by', (t) => {
  t.like(document.components.schemas?.NewInstance, {
    type: 'object',
    additionalProperties: false,
    required: ['organizationId', 'name', 'maxMemory', 'region'],
    properties: {
      maxMemory: { type: 'integer', minimum: 16 * 1024 * 1024, maximum: 16_384 * 1024 * 1024 },
      name: { type: 'string', minLength: 1, maxLength: 64 },
      region: { type: 'string', enum: ['eu-central'] },
      persistence: { type: 'boolean', default: false },
      evictionPolicy: { type: 'string', default: 'allkeys-lru' },
    },
  });
});

test('a change takes If-Match, a POST an Idempotency-Key', (t) => {
  const headersOf = (path: string, method: string): string[] => {
    const parameters = document.paths[path]?.[method]?.parameters as unknown as { $ref?: string }[];
    return parameters.flatMap(({ $ref }) => ($ref ? [$ref.split('/').at(-1) ?? ''] : []));
  };
  t.deepEqual(headersOf('/api/v1/instances', 'post'), ['RequestId', 'IdempotencyKey']);
  t.deepEqual(headersOf('/api/v1/instances/{instanceId}', 'patch'), ['RequestId', 'IfMatch']);
});
