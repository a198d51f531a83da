/** How long backups are kept, and that a time that has come is taken once. */
import test from 'ava';
import { dropOldBackups, overdue } from '../../../src/backups/retention.ts';
import { takeDueBackups } from '../../../src/backups/take-due-backups.ts';
import type { Orm } from '../../../src/store/database.ts';
import { type Backup, BackupEntity } from '../../../src/store/entities/backup.ts';
import { InstanceEntity } from '../../../src/store/entities/instance.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';
import { createTestClock } from '../../support/clock.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { addBackup, addInstance, readBackup, readInstance } from '../../support/rows.ts';

const now = createTestClock().now();
const dayMs = 24 * 3_600_000;
const daysAgo = (days: number): Date => new Date(now.getTime() - days * dayMs);
const backupRunner = { wake() {} };

const clock = { now: () => now };

test('too many and too old ones go, the newest never', (t) => {
  const rows = [1, 2, 3, 40].map((age) => ({ age, createdAt: daysAgo(age) }));
  const gone = (count: number | null, days: number | null, of = rows): number[] =>
    overdue(of, { count, days }, now).map(({ age }) => age);
  t.deepEqual(gone(null, null), []);
  t.deepEqual(gone(2, null), [3, 40]);
  t.deepEqual(gone(7, 30), [40]);
  t.deepEqual(gone(1, 30), [2, 3, 40]);
  t.deepEqual(gone(7, 30, rows.slice(3)), [], 'however old it is');
});

testOnEachDatabase('each kind of backup is kept as long as it is said', async (t, orm) => {
  const rule = { backupSchedule: '0 3 * * *', backupKeepCount: 2, backupKeepDays: 10 };
  const instance = await addInstance(orm, { status: 'RUNNING', ...rule });
  const add = async (changes: Partial<Backup>, of = instance): Promise<string> =>
    (await addBackup(orm, of, { status: 'AVAILABLE', ...changes })).id;
  const kept = [
    await add({ kind: 'scheduled', createdAt: daysAgo(1) }),
    await add({ kind: 'scheduled', createdAt: daysAgo(2) }),
    await add({ kind: 'manual', createdAt: daysAgo(400) }),
    await add({ kind: 'import', createdAt: daysAgo(400) }),
    await add({ status: 'FAILED', createdAt: daysAgo(6) }),
    await add({ status: 'QUEUED', createdAt: daysAgo(400) }),
  ];
  const gone = [
    await add({ kind: 'scheduled', createdAt: daysAgo(3) }),
    await add({ status: 'FAILED', createdAt: daysAgo(8) }),
  ];
  const deleted = await addInstance(orm, { status: 'DELETED', deletedAt: daysAgo(31) });
  gone.push(await add({ kind: 'manual' }, deleted));
  const since = { status: 'DELETED', deletedAt: daysAgo(29), ...rule } as const;
  const justDeleted = await addInstance(orm, since);
  kept.push(await add({ kind: 'manual' }, justDeleted));
  for (const days of [30, 31, 32, 33]) {
    kept.push(await add({ kind: 'scheduled', createdAt: daysAgo(days) }, justDeleted));
  }
  const ended = await addInstance(orm, { status: 'DELETED', deletedAt: daysAgo(1) });
  gone.push(await add({ kind: 'manual' }, ended));
  await orm.em
    .fork()
    .nativeUpdate(OrganizationEntity, { id: ended.organizationId }, { deletedAt: daysAgo(1) });
  const restored = await add({ status: 'FAILED', createdAt: daysAgo(8) });
  await addInstance(orm, { status: 'FAILED', restoreBackupId: restored, restoreGeneration: 1 });

  await dropOldBackups({ orm, clock, backupRunner });
  for (const id of gone) t.is((await readBackup(orm, id))?.status, 'DELETING');
  for (const id of [...kept, restored]) t.not((await readBackup(orm, id))?.status, 'DELETING');
});

async function countOf(orm: Orm, instanceId: string): Promise<number> {
  return await orm.em.fork().count(BackupEntity, { instanceId, kind: 'scheduled' });
}

testOnEachDatabase('times that were missed are taken once, whoever looks', async (t, orm) => {
  const due = { backupSchedule: '0 * * * *', backupKeepCount: 7, backupNextAt: daysAgo(3) };
  const { id } = await addInstance(orm, { status: 'RUNNING', ...due });
  const stopped = await addInstance(orm, { status: 'STOPPED', ...due });
  const services = { orm, clock, backupRunner };
  await Promise.all([takeDueBackups(services), takeDueBackups(services)]);
  await takeDueBackups(services);
  t.is(await countOf(orm, id), 1);
  const { backupNextAt } = await readInstance(orm, id);
  t.true(backupNextAt && backupNextAt > now);
  t.is(await countOf(orm, stopped.id), 0);
  t.deepEqual((await readInstance(orm, stopped.id)).backupNextAt, daysAgo(3), 'it is waited for');
});

testOnEachDatabase('a schedule goes on where the plan is full', async (t, orm) => {
  const due = { backupSchedule: '0 * * * *', backupKeepCount: 7, backupNextAt: daysAgo(1) };
  const instance = await addInstance(orm, { status: 'RUNNING', ...due });
  const { id, organizationId } = instance;
  await orm.em.fork().nativeUpdate(OrganizationEntity, { id: organizationId }, { plan: 'free' });
  for (let i = 0; i < 9; i += 1) await addBackup(orm, instance, { status: 'AVAILABLE' });
  const scheduled = async (): Promise<string[]> => {
    const where = { instanceId: id, kind: 'scheduled' as const };
    const rows = await orm.em.fork().find(BackupEntity, where);
    return rows.map(({ status }) => status).sort();
  };
  const takeNext = async (): Promise<string[]> => {
    await orm.em.fork().nativeUpdate(InstanceEntity, { id }, { backupNextAt: daysAgo(1) });
    await takeDueBackups({ orm, clock, backupRunner });
    const found = await scheduled();
    await orm.em.fork().nativeUpdate(BackupEntity, { status: 'QUEUED' }, { status: 'AVAILABLE' });
    return found;
  };
  const createdAt = daysAgo(2);
  await addBackup(orm, instance, { kind: 'scheduled', status: 'AVAILABLE', createdAt });
  t.deepEqual(await takeNext(), ['AVAILABLE', 'QUEUED'], 'the only one stays');
  await addBackup(orm, await addInstance(orm, { organizationId }), { status: 'AVAILABLE' });
  t.deepEqual(await takeNext(), ['AVAILABLE', 'DELETING', 'QUEUED'], 'the oldest makes place');
  const oldest = await orm.em.fork().find(BackupEntity, { status: 'DELETING' });
  t.deepEqual(oldest[0]?.createdAt, createdAt);
});

testOnEachDatabase('a schedule that finds no place says so in the list', async (t, orm) => {
  const due = { backupSchedule: '0 * * * *', backupKeepCount: 7, backupNextAt: daysAgo(1) };
  const instance = await addInstance(orm, { status: 'RUNNING', ...due });
  const { organizationId } = instance;
  await orm.em.fork().nativeUpdate(OrganizationEntity, { id: organizationId }, { plan: 'free' });
  for (let i = 0; i < 10; i += 1) await addBackup(orm, instance, { status: 'AVAILABLE' });
  await takeDueBackups({ orm, clock, backupRunner });
  const found = await orm.em.fork().findOneOrFail(BackupEntity, { kind: 'scheduled' });
  t.like(found, { status: 'FAILED', errorCode: 'quota_exceeded' });
});
