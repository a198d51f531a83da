/** The examples of /openapi.json: each fits the schema it is an example of, and looks like the real thing. */
import test from 'ava';
import { checkConformance, openApi, validatorAt } from '../support/conformance.ts';

interface MediaType {
  readonly schema?: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly $ref?: string }>>;
}

interface Shown {
  readonly schema?: object;
  readonly example?: unknown;
}

interface Parts {
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly parameters?: readonly (Shown & { readonly $ref?: string; readonly name: string })[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, MediaType>> }>
  >;
}

const { paths, components } = openApi as unknown as {
  paths: Record<string, Record<string, Parts>>;
  components: Record<string, Record<string, Shown & { value?: unknown }>>;
};

/** Every body and answer, with its place in the document. */
const media = Object.entries(paths).flatMap(([path, methods]) => {
  return Object.entries(methods).flatMap(([method, { requestBody, responses }]) => {
    const at = ['paths', path, method];
    const bodies = Object.entries(requestBody?.content ?? {}).map(([type, shown]) => {
      return { at: [...at, 'requestBody', 'content', type], shown };
    });
    const answers = Object.entries(responses).flatMap(([status, { content }]) => {
      return Object.entries(content ?? {}).map(([type, shown]) => {
        return { at: [...at, 'responses', status, 'content', type], shown };
      });
    });
    return [...bodies, ...answers];
  });
});

for (const name of Object.keys(components.schemas ?? {})) {
  test(`the schema ${name} is one`, (t) => {
    t.notThrows(() => validatorAt('components', 'schemas', name));
  });
}

test('every example of a body or an answer fits its schema', (t) => {
  for (const { at, shown } of media) {
    if (!shown.schema || !('example' in shown)) continue;
    const validate = validatorAt(...at, 'schema');
    t.true(validate(shown.example), `${at.join(' ')}: ${JSON.stringify(validate.errors)}`);
  }
});

test('every example of a problem is a problem', (t) => {
  const validate = validatorAt('components', 'schemas', 'Problem');
  for (const [code, { value }] of Object.entries(components.examples ?? {})) {
    t.true(validate(value), `${code}: ${JSON.stringify(validate.errors)}`);
  }
});

test('every example of a parameter or a header fits its schema', (t) => {
  for (const part of ['parameters', 'headers']) {
    for (const [name, { example }] of Object.entries(components[part] ?? {})) {
      if (example === undefined) continue;
      t.true(validatorAt('components', part, name, 'schema')(example), name);
    }
  }
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { parameters = [] }] of Object.entries(methods)) {
      for (const [index, { schema, example }] of parameters.entries()) {
        if (!schema || example === undefined) continue;
        const validate = validatorAt('paths', path, method, 'parameters', `${index}`, 'schema');
        t.true(validate(example), `${method} ${path} ${index}`);
      }
    }
  }
});

// The maker of examples writes 'text' where no field of the schema says what it looks like.
test('every text in an example looks like what it stands for', (t) => {
  const made = media.flatMap(({ at, shown }) => {
    return placeholders(shown.example).map((path) => `${at.slice(1, 5).join(' ')} ${path}`);
  });
  t.deepEqual(made, []);
});

function placeholders(value: unknown, path = ''): string[] {
  if (value === 'text') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => placeholders(inner, `${path}/${name}`));
}

const answer = (status: number, body: object, headers: Record<string, string> = {}) => ({
  status,
  headers: new Headers({ 'Content-Type': 'application/json', ...headers }),
  text: JSON.stringify(body),
  body,
});
const url = 'http://127.0.0.1/api/v1/instances/regions';
const region = {
  region: 'eu-central',
  regionName: 'Europe (Germany)',
  flag: '🇩🇪',
  available: true,
};

test('an answer that the document does not have is noticed', (t) => {
  t.notThrows(() => checkConformance('get', url, answer(200, { regions: [region] })));
  t.notThrows(() => checkConformance('get', 'http://127.0.0.1/nothing', answer(200, {})));
  const wrong = [
    answer(201, { regions: [] }),
    answer(200, {}),
    answer(200, { regions: [{ ...region, price: 1 }] }),
    answer(200, { regions: [{ ...region, available: 'yes' }] }),
    answer(200, { regions: [] }, { 'Content-Type': 'text/plain' }),
    answer(200, { regions: [] }, { ETag: '"1"' }),
    answer(404, { code: 'not_found' }, { 'Content-Type': 'application/problem+json' }),
  ];
  for (const each of wrong) t.throws(() => checkConformance('get', url, each));
});
