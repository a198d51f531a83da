/** Backups over the API: what is asked for, refused and shown; the runner does the rest elsewhere. */
import type { ExecutionContext } from 'ava';
import type { Orm } from '../../src/store/database.ts';
import { type Backup, BackupEntity } from '../../src/store/entities/backup.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { OrganizationEntity } from '../../src/store/entities/organization.ts';
import { type Api, newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addBackup, addInstance, readBackup, readInstance } from '../support/rows.ts';
import { createMemoryStore, createTestVault, fakeRdb } from '../support/vault.ts';

const octets = { 'Content-Type': 'application/octet-stream' };

async function start(t: ExecutionContext, orm: Orm) {
  const store = createMemoryStore();
  let backupWakes = 0;
  const api = await startApi(t, orm, {
    vault: createTestVault(store),
    backupRunner: { wake: () => (backupWakes += 1) },
  });
  const { organizationId } = api.owner;
  const instance = await addInstance(orm, { organizationId, status: 'RUNNING' });
  return { api, instance, store, backupWakes: () => backupWakes };
}

async function upload({ call, owner }: Api, instanceId: string, body: Uint8Array) {
  const path = `/api/v1/instances/${instanceId}/backups/import`;
  return await call('post', path, { key: owner.secret, body, headers: octets });
}

testOnEachDatabase('a backup is queued, listed and shown, one at a time', async (t, orm) => {
  const { api, instance, backupWakes } = await start(t, orm);
  const path = `/api/v1/instances/${instance.id}/backups`;
  const answer = await api.own('post', path);
  t.is(answer.status, 202);
  const { backup } = answer.body;
  t.like(backup, { instanceId: instance.id, kind: 'manual', status: 'QUEUED', error: null });
  t.is(answer.headers.get('Location'), `/api/v1/backups/${backup.id}`);
  t.is(backupWakes(), 1);
  t.is((await api.own('post', path)).body.code, 'state_conflict');
  t.deepEqual((await api.own('get', path)).body.backups, [backup]);
  t.deepEqual((await api.own('get', `/api/v1/backups/${backup.id}`)).body.backup, backup);
  const list = `/api/v1/backups?organizationId=${api.owner.organizationId}`;
  t.deepEqual((await api.own('get', `${list}&status=QUEUED,RUNNING`)).body.backups, [backup]);
  t.deepEqual((await api.own('get', `${list}&status=AVAILABLE`)).body.backups, []);
  t.deepEqual((await api.own('get', `${list}&instanceId=inst_other`)).body.backups, []);
});

testOnEachDatabase('a plan has so many backups, and failed ones take no place', async (t, orm) => {
  const { api, instance } = await start(t, orm);
  const em = orm.em.fork();
  await em.nativeUpdate(OrganizationEntity, { id: api.owner.organizationId }, { plan: 'free' });
  for (let i = 0; i < 10; i += 1) await addBackup(orm, instance, { status: 'FAILED' });
  for (let i = 0; i < 9; i += 1) await addBackup(orm, instance, { status: 'AVAILABLE' });
  // Its file is there yet.
  await addBackup(orm, instance, { status: 'FAILED', location: 'somewhere' });
  const answer = await api.own('post', `/api/v1/instances/${instance.id}/backups`);
  t.is(answer.body.code, 'quota_exceeded');
  t.deepEqual(answer.body.limit, { name: 'backups', limit: 10, used: 10, requested: 1 });
  t.is((await upload(api, instance.id, fakeRdb())).body.code, 'quota_exceeded');
});

testOnEachDatabase('an RDB file that is brought comes out as it went in', async (t, orm) => {
  const { api, instance, store } = await start(t, orm);
  const rdb = fakeRdb('x'.repeat(200_000));
  const answer = await upload(api, instance.id, rdb);
  t.is(answer.status, 202, answer.text);
  const { backup } = answer.body;
  t.like(backup, { kind: 'import', status: 'QUEUED', sizeBytes: rdb.length });
  t.is(backup.redisVersion, '7.0.15');
  t.false([...store.objects.values()].some((sealed) => sealed.includes('xxxx')));
  const path = `/api/v1/backups/${backup.id}/download`;
  t.is((await api.own('get', path)).body.code, 'backup_unusable', 'not before it was loaded');

  await markAvailable(orm, backup.id);
  const download = await fetch(api.url + path, {
    headers: { Authorization: `Bearer ${api.owner.secret}` },
  });
  t.is(download.headers.get('Content-Length'), String(rdb.length));
  t.is(download.headers.get('ETag'), `"${backup.sha256}"`);
  t.is(download.headers.get('Content-Disposition'), `attachment; filename="${backup.id}.rdb"`);
  t.true(Buffer.from(await download.arrayBuffer()).equals(rdb));
  const audit = `/api/v1/audit?organizationId=${api.owner.organizationId}`;
  const actions = (await api.own('get', audit)).body.entries.map(
    (entry: { action: string }) => entry.action,
  );
  t.true(['backup.import', 'backup.download'].every((action) => actions.includes(action)));
});

testOnEachDatabase('a stored file that was changed is never given out whole', async (t, orm) => {
  const { api, instance, store } = await start(t, orm);
  const { body } = await upload(api, instance.id, fakeRdb('x'.repeat(200_000)));
  await markAvailable(orm, body.backup.id);
  const [[name, sealed] = ['', Buffer.alloc(0)]] = store.objects;
  const get = () =>
    fetch(`${api.url}/api/v1/backups/${body.backup.id}/download`, {
      headers: { Authorization: `Bearer ${api.owner.secret}` },
    });
  const flipAt = (at: number): void => {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    store.objects.set(name, changed);
  };
  flipAt(100);
  t.is((await get()).status, 422, 'before the first byte');
  flipAt(sealed.length - 1);
  const answer = await get();
  t.is(answer.status, 200);
  await t.throwsAsync(answer.arrayBuffer(), undefined, 'the connection is cut');
  store.objects.delete(name);
  t.is((await get()).status, 422);
});

testOnEachDatabase(
  'what is no RDB file, or too large a one, leaves nothing behind',
  async (t, orm) => {
    const { api, instance, store } = await start(t, orm);
    t.is((await upload(api, instance.id, Buffer.from('hello, world'))).body.code, 'backup_invalid');
    const large = fakeRdb('x'.repeat(instance.maxMemoryBytes + 2 * 1024 * 1024));
    t.is((await upload(api, instance.id, large)).body.code, 'body_too_large');
    const json = await api.own('post', `/api/v1/instances/${instance.id}/backups/import`, {});
    t.is(json.body.code, 'unsupported_media_type');
    t.is(store.objects.size, 0);
    const list = `/api/v1/backups?organizationId=${api.owner.organizationId}`;
    t.deepEqual((await api.own('get', list)).body.backups, []);
  },
);

testOnEachDatabase(
  'a restore is wanted at once, and its backup kept until it is done',
  async (t, orm) => {
    const { api, instance } = await start(t, orm);
    const backup = await addBackup(orm, instance, { status: 'AVAILABLE', memoryBytes: 1024 });
    const path = `/api/v1/instances/${instance.id}/restore`;
    const answer = await api.own('post', path, { backupId: backup.id });
    t.is(answer.status, 202, answer.text);
    t.is(answer.body.operation.kind, 'restore');
    t.is(answer.body.instance.status, 'RUNNING', 'it serves until the backup was checked');
    const { generation, restoreGeneration, restoreBackupId } = await readInstance(orm, instance.id);
    t.is(restoreGeneration, generation);
    t.is(restoreBackupId, backup.id);
    t.is((await api.own('delete', `/api/v1/backups/${backup.id}`)).body.code, 'state_conflict');
    await change(orm, instance.id, { appliedGeneration: generation });
    t.is((await api.own('delete', `/api/v1/backups/${backup.id}`)).status, 204);
    t.is((await readBackup(orm, backup.id))?.status, 'DELETING');
    t.is((await api.own('get', `/api/v1/backups/${backup.id}`)).status, 404);
  },
);

testOnEachDatabase('only what is AVAILABLE, fits and is one’s own is restored', async (t, orm) => {
  const { api, instance } = await start(t, orm);
  const path = `/api/v1/instances/${instance.id}/restore`;
  const tryIt = async (backup: Pick<Backup, 'id'>): Promise<unknown[]> => {
    const restored = await api.own('post', path, { backupId: backup.id });
    const body = newInstance(api.owner, { maxMemory: 67_108_864, fromBackup: backup.id });
    const created = await api.own('post', '/api/v1/instances', body);
    return [restored.body.code, created.body.code];
  };
  const queued = await addBackup(orm, instance);
  t.deepEqual(await tryIt(queued), ['backup_unusable', 'backup_unusable']);
  const large = { status: 'AVAILABLE', memoryBytes: 2 * instance.maxMemoryBytes } as const;
  t.deepEqual(await tryIt(await addBackup(orm, instance, large)), Array(2).fill('backup_unusable'));
  const foreign = await addBackup(orm, await addInstance(orm), { status: 'AVAILABLE' });
  t.deepEqual(await tryIt(foreign), ['not_found', 'not_found']);
  t.is((await readInstance(orm, instance.id)).generation, instance.generation, 'nothing changed');
});

testOnEachDatabase(
  'an instance from a backup is PROVISIONING with it to be loaded',
  async (t, orm) => {
    const { api, instance } = await start(t, orm);
    const { id } = await addBackup(orm, instance, { status: 'AVAILABLE', memoryBytes: 1024 });
    const answer = await api.own(
      'post',
      '/api/v1/instances',
      newInstance(api.owner, { fromBackup: id }),
    );
    t.is(answer.status, 201, answer.text);
    const created = await readInstance(orm, answer.body.instance.id);
    t.is(created.restoreBackupId, id);
    t.is(created.restoreGeneration, created.generation);
  },
);

testOnEachDatabase('backups by schedule are set, shown and ended by PATCH', async (t, orm) => {
  const { api, instance } = await start(t, orm);
  const path = `/api/v1/instances/${instance.id}`;
  t.is((await api.own('get', path)).body.instance.backups, null);
  const answer = await api.own('patch', path, { backups: { schedule: '0 3 * * *' } });
  t.is(answer.status, 200, answer.text);
  const { backups } = answer.body.instance;
  t.like(backups, { schedule: '0 3 * * *', keepCount: 7, keepDays: null });
  t.regex(backups.nextAt, /T03:00:00\.000Z$/);
  t.true(new Date(backups.nextAt) > api.clock.now());
  const list = `/api/v1/instances?organizationId=${api.owner.organizationId}`;
  t.deepEqual((await api.own('get', list)).body.instances[0].backups, backups);
  for (const schedule of ['* * * * *', 'x', '0 3 * * * *', '0 0 31 2 *', '61 * * * *']) {
    const refused = await api.own('patch', path, { backups: { schedule } });
    t.is(refused.body.code, 'invalid_request', schedule);
    t.is(refused.body.errors[0].pointer, '/backups/schedule');
  }
  const em = orm.em.fork();
  await em.nativeUpdate(OrganizationEntity, { id: api.owner.organizationId }, { plan: 'free' });
  const many = await api.own('patch', path, {
    backups: { schedule: '0 3 * * *', keepCount: 1000 },
  });
  t.is(many.body.code, 'plan_limit');
  t.deepEqual(many.body.limit, { name: 'backups', limit: 10, used: 0, requested: 1000 });
  t.is((await api.own('patch', path, { backups: null })).body.instance.backups, null);
  t.falsy((await readInstance(orm, instance.id)).backupNextAt);
});

async function change(orm: Orm, id: string, changes: object): Promise<void> {
  await orm.em.fork().nativeUpdate(InstanceEntity, { id }, changes);
}

async function markAvailable(orm: Orm, id: string): Promise<void> {
  await orm.em.fork().nativeUpdate(BackupEntity, { id }, { status: 'AVAILABLE' });
}
