/** The fields of a create: each that is wrong is named, and nothing is made. */
import test from 'ava';
import { evictionPolicies } from '../../src/instances/eviction-policies.ts';
import { widestMemoryBounds } from '../../src/instances/plans.ts';
import { newId } from '../../src/lib/ids.ts';
import { type Api, newInstance } from '../support/api.ts';
import { isProblem, pointersOf, startEmbeddedApi } from '../support/problems.ts';

const instances = '/api/v1/instances';
const { minBytes, maxBytes } = widestMemoryBounds();
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
  '/driftPolicy': { unknown: 'ignore', null: null },
  '/colour': { 'a field that does not exist': 'red' },
  '/status': { 'a field that is not for callers': 'RUNNING' },
  '/__proto__': { 'a field with a meaning': { a: 1 } },
  '/a~1b~0c': { 'a field whose name needs escapes': 1 },
};

for (const [pointer, cases] of Object.entries(wrongFields)) {
  for (const [what, value] of Object.entries(cases)) {
    test(`a create is refused for ${pointer}: ${what}`, async (t) => {
      const { api, isEmpty } = await startEmbeddedApi(t);
      const name = pointer.split('/')[1]?.replace('~1', '/').replace('~0', '~') ?? '';
      const answer = await api.own('post', instances, bodyWith(api, name, value));
      isProblem(t, answer, 'invalid_request');
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
  const { api } = await startEmbeddedApi(t);
  const wrong = { name: '', maxMemory: 1, region: 'x', evictionPolicy: 'x', colour: 'red' };
  const answer = await api.own('post', instances, newInstance(api.owner, wrong));
  isProblem(t, answer, 'invalid_request');
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
    const { api } = await startEmbeddedApi(t);
    t.is((await api.own('post', instances, newInstance(api.owner, fields))).status, 201);
  });
}
