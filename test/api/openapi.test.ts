/** /openapi.json: a whole OpenAPI 3.1 document of exactly the routes there are. */
import test from 'ava';
import { createOpenApiDocument } from '../../src/http/openapi.ts';
import { routes } from '../../src/http/routes/index.ts';
import { startApi } from '../support/api.ts';
import { openTestDatabase } from '../support/databases.ts';

interface Operation {
  operationId: string;
  summary: string;
  security: object[];
  parameters?: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { required: boolean; content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content: Record<string, { schema: object }> }>;
}

interface OpenApi {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
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

test('it is OpenAPI 3.1 with a title, a version and servers', (t) => {
  t.regex(document.openapi, /^3\.1\.\d+$/);
  t.truthy(document.info.title);
  t.truthy(document.info.version);
});

test('it has every route and no other', (t) => {
  t.deepEqual(
    operations.map(({ method, path }) => `${method} ${path}`).sort(),
    routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`).sort(),
  );
});

for (const { method, path, operation } of operations) {
  const route = routes.find((candidate) => {
    return candidate.method === method && candidate.path.replaceAll(/:(\w+)/g, '{$1}') === path;
  });

  test(`${method} ${path} is described whole`, (t) => {
    t.truthy(operation.summary);
    t.deepEqual(operation.security, route?.access === 'account' ? [{ accountKey: [] }] : []);
    const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    t.deepEqual(
      declared.map(({ name }) => name),
      wanted,
    );
    for (const { required, schema } of declared) {
      t.true(required);
      t.truthy(schema);
    }
    const hasBody = operation.requestBody?.content['application/json']?.schema !== undefined;
    t.is(hasBody, route?.body !== undefined);
  });

  test(`${method} ${path} lists its answers, each with a schema, and the problem`, (t) => {
    const { default: problem, ...answers } = operation.responses;
    t.deepEqual(Object.keys(answers), Object.keys(route?.answers ?? {}));
    for (const { description, content } of Object.values(answers)) {
      t.truthy(description);
      t.truthy(content['application/json']?.schema);
    }
    t.deepEqual(problem?.content['application/problem+json']?.schema, {
      $ref: '#/components/schemas/Problem',
    });
  });
}

test('every operation has an id of its own', (t) => {
  const ids = operations.map(({ operation }) => operation.operationId);
  t.is(new Set(ids).size, ids.length);
  for (const id of ids) t.regex(id, /^\w+$/);
});

test('every reference leads to a schema, and every schema is referred to', (t) => {
  const text = JSON.stringify(document);
  const references = new Set(
    [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
  );
  t.is(text.match(/"\$ref"/g)?.length, text.match(/"\$ref":"#\/components\/schemas\//g)?.length);
  t.deepEqual([...references].sort(), Object.keys(document.components.schemas).sort());
});

test('the account key is described as the bearer token it is', (t) => {
  t.like(document.components.securitySchemes.accountKey, { type: 'http', scheme: 'bearer' });
});

test('a create is described with the bounds that it is checked by', (t) => {
  t.like(document.components.schemas.NewInstance, {
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
