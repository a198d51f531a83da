/** A secret is in the answer that makes it, and nowhere else: no other answer, row, file or log line. */
import { existsSync, readFileSync } from 'node:fs';
import { createAccountSecret, createDataSecret } from '../../src/keys/format.ts';
import { newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addInstance, dumpDatabase } from '../support/rows.ts';

const instances = '/api/v1/instances';

testOnEachDatabase(
  'a data key is shown by the create that made it, and by nothing later',
  async (t, orm) => {
    const { own, owner, call } = await startApi(t, orm);
    const created = await own('post', instances, newInstance(owner));
    const secret: string = created.body.createdDefaultKey.plainTextKey;
    const { id } = created.body.instance;
    const answers = [
      await own('get', `${instances}?organizationId=${owner.organizationId}`),
      await own('get', `${instances}/${id}`),
      await own('get', `/api/v1/operations/${created.body.operation.id}`),
      await own('post', `${instances}/${id}/retry`),
      await own('post', instances, newInstance(owner)),
      await own('delete', `${instances}/${id}`),
      await call('get', `${instances}/regions`),
    ];
    for (const { text } of answers) {
      t.true(text.length > 0);
      t.false(text.includes(secret.slice(-16)), text);
      t.false(text.includes(owner.secret), text);
    }
  },
);

testOnEachDatabase(
  "an instance's own password and the hashes of keys are in no answer",
  async (t, orm) => {
    const { own, owner } = await startApi(t, orm);
    const { id } = await addInstance(orm, {
      organizationId: owner.organizationId,
      status: 'RUNNING',
      passwordSealed: 'v1:sealed-password',
      nodeHost: 'node-7.internal',
      nodePort: 23_456,
      leaseOwner: 'machine:1:2',
    });
    await own('post', instances, newInstance(owner));
    for (const path of [
      `${instances}/${id}`,
      `${instances}?organizationId=${owner.organizationId}`,
    ]) {
      const { status, text } = await own('get', path);
      t.is(status, 200);
      t.notRegex(text, /sealed-password|node-7|23456|machine:1|[0-9a-f]{64}/i);
    }
  },
);

testOnEachDatabase('the database holds no key, only hashes', async (t, orm, { databaseFile }) => {
  const { own, owner, stranger } = await startApi(t, orm);
  const created = await own('post', instances, newInstance(owner));
  const secrets: string[] = [
    created.body.createdDefaultKey.plainTextKey,
    owner.secret,
    stranger.secret,
  ];
  const rows = await dumpDatabase(orm);
  t.true(rows.includes(created.body.instance.id));
  const files = ['', '-wal']
    .map((suffix) => databaseFile + suffix)
    .filter((file) => existsSync(file));
  const bytes = files.map((file) => readFileSync(file, 'latin1')).join('');
  for (const secret of secrets) {
    const random = secret.slice(-16);
    t.false(rows.includes(random));
    t.false(bytes.includes(random));
  }
});

testOnEachDatabase('the log holds no key at debug level, whatever was sent', async (t, orm) => {
  const { own, owner, call, log } = await startApi(t, orm);
  const created = await own('post', instances, newInstance(owner));
  const foreign = createAccountSecret().secret;
  const data = createDataSecret().secret;
  const path = `${instances}/${created.body.instance.id}`;
  await call('get', path, { key: foreign });
  await call('get', path, { key: data });
  await call('get', `${path}?_token=${data}&key=${foreign}`);
  await call('get', `${instances}/${data}`, { key: owner.secret });
  await call('post', instances, { key: owner.secret, body: `{"password":"${data}` });
  await own('post', instances, newInstance(owner, { name: data, [foreign]: 1 }));
  await call('get', '/none', { headers: { 'X-Request-Id': data } });
  const text = log();
  t.true(text.split('\n').length > 7);
  for (const secret of [created.body.createdDefaultKey.plainTextKey, owner.secret, foreign, data]) {
    t.false(text.includes(secret.slice(-16)), text);
  }
});

testOnEachDatabase('a refused key is not sent back', async (t, orm) => {
  const { call } = await startApi(t, orm);
  for (const { secret } of [createAccountSecret(), createDataSecret()]) {
    const { status, text } = await call('get', `${instances}/x`, { key: secret });
    t.is(status, 401);
    t.false(text.includes(secret));
  }
});
