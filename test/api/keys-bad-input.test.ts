/** What is refused about data keys, and by which field. */
import test from 'ava';
import { DataKeyEntity } from '../../src/store/entities/data-key.ts';
import { pointersOf, startEmbeddedApi } from '../support/problems.ts';
import { addDataKey, addInstance } from '../support/rows.ts';

const keys = '/api/v1/api-keys';
const someInstance = `inst_${'a'.repeat(16)}`;

const badFields: Record<string, readonly unknown[]> = {
  name: ['', ' x', 'x\n', 'x'.repeat(65), 7, null],
  permissions: [
    [],
    ['write'],
    ['read', 'read'],
    ['admin'],
    'read',
    ['read', 'write', 'read'],
    null,
  ],
  ipWhitelist: [
    ['localhost'],
    ['1.2.3'],
    ['0x7f.0.0.1'],
    ['1.2.3.4/33'],
    ['1.2.3.4/'],
    ['::1/129'],
    ['fe80::1%eth0'],
    ['::ffff:1.2.3.4/90'],
    [' 1.2.3.4'],
    [''],
    [7],
    '1.2.3.4',
    Array.from({ length: 101 }, (_, index) => `10.0.0.${index}`),
  ],
  rateLimit: [0, 1001, 1.5, '5', null],
  expiresAt: [
    'tomorrow',
    '2024-01-15',
    '2024-01-15T10:30:00Z',
    '1999-01-01T00:00:00Z',
    '9999-12-31T23:59:59-01:00',
    0,
  ],
};

for (const [field, values] of Object.entries(badFields)) {
  test(`a wrong ${field} is refused by its name, in a create and in a change`, async (t) => {
    const { api } = await startEmbeddedApi(t);
    const { organizationId } = api.owner;
    const { id } = await addDataKey(api.orm, organizationId);
    for (const value of values) {
      const body = { organizationId, name: 'x', [field]: value };
      const created = await api.own('post', keys, body);
      const changed = await api.own('patch', `${keys}/${id}`, { [field]: value });
      for (const answer of [created, changed]) {
        t.is(answer.status, 400, `${JSON.stringify(value)}: ${answer.text}`);
        t.true(
          pointersOf(answer).every((pointer) => pointer.startsWith(`/${field}`)),
          answer.text,
        );
      }
    }
    t.is(await api.orm.em.fork().count(DataKeyEntity, {}), 1);
  });
}

test('fields that do not belong are refused', async (t) => {
  const { api } = await startEmbeddedApi(t);
  const { organizationId } = api.owner;
  const { id } = await addDataKey(api.orm, organizationId);
  const running = await addInstance(api.orm, { organizationId, status: 'RUNNING' });
  const answers = [
    await api.own('post', keys, { organizationId, name: 'x', plainTextKey: 'sc_live_1' }),
    await api.own('post', keys, { name: 'x' }),
    await api.own('post', keys, { organizationId, name: 'x', instanceIds: ['x'] }),
    await api.own('post', keys, {
      organizationId,
      name: 'x',
      instanceIds: [someInstance, someInstance],
    }),
    await api.own('post', `/api/v1/instances/${running.id}/api-keys`, {
      organizationId,
      name: 'x',
    }),
    await api.own('patch', `${keys}/${id}`, {}),
    await api.own('patch', `${keys}/${id}`, { organizationId }),
    await api.own('get', keys),
    await api.own('get', `${keys}?organizationId=${organizationId}&limit=0`),
    await api.own('get', `${keys}?organizationId=${organizationId}&cursor=x`),
  ];
  for (const { status, body } of answers)
    t.deepEqual([status, body.code], [400, 'invalid_request']);
});

test('an id that is none is not found, whatever its bytes are', async (t) => {
  const { api } = await startEmbeddedApi(t);
  for (const id of ['x', '%00', '%F0%9F%98%80', 'key_', someInstance, "'--"]) {
    t.is((await api.own('get', `${keys}/${id}`)).status, 404, id);
    t.is((await api.own('delete', `${keys}/${id}`)).status, 404, id);
    t.is((await api.own('put', `/api/v1/instances/${id}/api-keys/${id}`)).status, 404, id);
  }
});
