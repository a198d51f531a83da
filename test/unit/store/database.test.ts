import { UniqueConstraintViolationException } from '@mikro-orm/core';
import test from 'ava';
import { newId } from '../../../src/lib/ids.ts';
import { type EntityManager, type Orm, openDatabase } from '../../../src/store/database.ts';
import { AccountKeyEntity } from '../../../src/store/entities/account-key.ts';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import { embeddedLocation, testOnEachDatabase, testOnPostgres } from '../../support/databases.ts';
import {
  addDataKey,
  addInstance,
  addOperation,
  addOrganization,
  readInstance,
  readOperation,
  someDate,
} from '../../support/rows.ts';

/**
 * What the migrations declare and the entities do not: indexes, checks, references, triggers, and the
 * defaults that rows from before a column was added got.
 */
const declaredBySqlOnly = new RegExp(
  [
    /^(drop index|create (unique )?index|alter table \S+ (drop|add) constraint)\b/,
    /^drop (trigger|function)\b/,
    /^alter table \S+ alter column \S+ drop default$/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

testOnPostgres(
  'the migrations make exactly the columns that the entities expect',
  async (t, orm) => {
    const schema = (orm as unknown as { schema: { getUpdateSchemaSQL(): Promise<string> } }).schema;
    const sql = await schema.getUpdateSchemaSQL();
    const differences = sql
      .split(/;\s*/)
      .map((statement) => statement.trim())
      .filter((statement) => statement !== '' && !/^set /i.test(statement))
      .filter((statement) => !declaredBySqlOnly.test(statement))
      // The bookkeeping of the migrations themselves.
      .filter((statement) => !/mikro_orm_migrations/.test(statement));
    t.deepEqual(differences, []);
  },
);

testOnEachDatabase('migrating a second time changes nothing', async (t, orm, location) => {
  const { id } = await addInstance(orm);
  const again = await openDatabase(location);
  t.teardown(() => again.close());
  t.is((await readInstance(again, id)).id, id);
  t.deepEqual(await again.migrator.getPending(), []);
});

test('the embedded database is in WAL mode and waits for a busy file', async (t) => {
  const orm = await openDatabase(embeddedLocation(t));
  t.teardown(() => orm.close());
  const connection = (orm.em.fork() as EntityManager).getConnection();
  t.deepEqual(await connection.execute('pragma journal_mode'), [{ journal_mode: 'wal' }]);
  t.deepEqual(await connection.execute('pragma busy_timeout'), [{ timeout: 5000 }]);
});

testOnEachDatabase('no two data keys have the same secret hash', async (t, orm) => {
  const { id } = await addOrganization(orm);
  await addDataKey(orm, id, { secretHash: 'same' });
  await t.throwsAsync(addDataKey(orm, id, { secretHash: 'same' }), {
    instanceOf: UniqueConstraintViolationException,
  });
});

testOnEachDatabase('no two account keys have the same secret hash', async (t, orm) => {
  const { id } = await addOrganization(orm);
  await addAccountKey(orm, id, 'same');
  await t.throwsAsync(addAccountKey(orm, id, 'same'), {
    instanceOf: UniqueConstraintViolationException,
  });
});

testOnEachDatabase(
  'a node port is given once in a region, and again in another',
  async (t, orm) => {
    const { id: organizationId } = await addOrganization(orm);
    await addInstance(orm, { organizationId, nodePort: 20_000 });
    await t.throwsAsync(addInstance(orm, { organizationId, nodePort: 20_000 }), {
      instanceOf: UniqueConstraintViolationException,
    });
    await t.notThrowsAsync(
      addInstance(orm, { organizationId, nodePort: 20_000, region: 'elsewhere' }),
    );
  },
);

testOnEachDatabase('any number of instances may have no node port', async (t, orm) => {
  const { id: organizationId } = await addOrganization(orm);
  await addInstance(orm, { organizationId });
  await t.notThrowsAsync(addInstance(orm, { organizationId }));
});

testOnEachDatabase('a status that does not exist cannot be stored', async (t, orm) => {
  await t.throwsAsync(addInstance(orm, { status: 'SLEEPING' as 'RUNNING' }));
});

testOnEachDatabase('an instance needs an organization that exists', async (t, orm) => {
  await t.throwsAsync(addInstance(orm, { organizationId: newId('org') }));
});

for (const persistence of [true, false]) {
  testOnEachDatabase(
    `an instance comes back as it was written, persistence ${persistence}`,
    async (t, orm) => {
      const written = await addInstance(orm, {
        persistence,
        name: 'Grüße, мир, 🌍',
        maxMemoryBytes: 2 ** 34 + 1,
        leaseExpiresAtMs: 1_800_000_000_123,
        nextAttemptAtMs: Number.MAX_SAFE_INTEGER,
        leaseOwner: 'host:1:2',
        nodeHost: '127.0.0.1',
        nodePort: 20_001,
        passwordSealed: 'v1:x',
        failureCode: 'port_in_use',
        failureMessage: 'taken',
        deletedAt: new Date('2024-02-29T23:59:59.999Z'),
        labels: { 'a-b': '"quoted"', environment: '' },
        deletionProtection: true,
        expiresAt: new Date('2030-01-01T00:00:00.001Z'),
        reservedMib: 2 ** 31 - 1,
        appliedMaxMemoryBytes: 2 ** 34,
        appliedEvictionPolicy: 'noeviction',
        appliedPersistence: !persistence,
        appliedImage: 'sha256:b',
        triedSettings: [
          {
            maxMemoryBytes: 2 ** 34,
            evictionPolicy: 'noeviction',
            persistence,
            image: 'sha256:c',
          },
        ],
        driftPolicy: 'report',
        drift: [{ kind: 'paused', detail: 'it is paused', since: someDate.toISOString() }],
        emptyVolumeGeneration: 1,
        restoreBackupId: 'bkp_a',
        restoreGeneration: 1,
        restoreBegunGeneration: 1,
        backupSchedule: '0 3 * * *',
        backupKeepCount: 7,
        backupKeepDays: 30,
        backupNextAt: new Date('2030-01-01T03:00:00.000Z'),
      });
      const read = await readInstance(orm, written.id);
      t.deepEqual({ ...read }, { ...written });
      t.is(read.persistence, persistence);
      t.is(read.maxMemoryBytes, 2 ** 34 + 1);
      t.is(read.leaseExpiresAtMs, 1_800_000_000_123);
      t.is(read.createdAt.getTime(), someDate.getTime());
    },
  );
}

testOnEachDatabase('lists and steps come back as they were written', async (t, orm) => {
  const instance = await addInstance(orm);
  const steps = [
    { name: 'prepare', startedAt: '2024-01-15T10:30:00.000Z', finishedAt: null },
    { name: 'say "hello"', startedAt: '2024-01-15T10:30:00.000Z', finishedAt: '…' },
  ];
  const operation = await addOperation(orm, instance, { steps, startedAt: someDate });
  const read = await readOperation(orm, operation.id);
  t.deepEqual(read.steps, steps);
  t.deepEqual(read.startedAt, someDate);
  t.is(read.finishedAt, null);

  const key = await addDataKey(orm, instance.organizationId, {
    permissions: ['read'],
    ipWhitelist: ['10.0.0.0/8', '::1'],
  });
  const found = await orm.em.fork().findOneOrFail(DataKeyEntity, { id: key.id });
  t.deepEqual(found.permissions, ['read']);
  t.deepEqual(found.ipWhitelist, ['10.0.0.0/8', '::1']);
});

async function addAccountKey(orm: Orm, organizationId: string, secretHash: string): Promise<void> {
  const em = orm.em.fork();
  em.create(AccountKeyEntity, {
    id: newId('acct'),
    organizationId,
    name: 'a key',
    role: 'owner',
    secretHash,
    createdAt: someDate,
  });
  await em.flush();
}
