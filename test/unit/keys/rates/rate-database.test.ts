/** Rates in the database that several servers share. */
import { createDatabaseRates, removeOldRates } from '../../../../src/keys/rates/rate-database.ts';
import type { EntityManager, Orm } from '../../../../src/store/database.ts';
import { databaseNowMs } from '../../../../src/store/database-time.ts';
import { testOnEachDatabase, testOnPostgres } from '../../../support/databases.ts';

async function run(orm: Orm, sql: string): Promise<Record<string, unknown>[]> {
  return (await (orm.em.fork() as EntityManager).getConnection().execute(sql)) as never;
}

async function readSecond(orm: Orm): Promise<number> {
  const [row] = await run(orm, `select ${databaseNowMs(orm)} / 1000 as second`);
  return Number(row?.second);
}

testOnEachDatabase('of one second no more is granted than there is', async (t, orm) => {
  const reserve = createDatabaseRates(orm);
  const before = await readSecond(orm);
  let total = 0;
  for (let round = 0; round < 5; round += 1) {
    const asked = Array.from({ length: 20 }, (_, index) => {
      return reserve({ name: 'key_a', limit: 50, points: (index % 7) + 1 });
    });
    for (const { granted, remaining, restMs } of await Promise.all(asked)) {
      t.true(granted >= 0 && remaining >= 0 && remaining <= 50);
      t.true(restMs <= 1_000);
      total += granted;
    }
  }
  const seconds = (await readSecond(orm)) - before + 1;
  t.true(total >= 50 && total <= 50 * seconds, `${total} in ${seconds}`);
});

testOnEachDatabase('what is left over of the last second is not carried on', async (t, orm) => {
  const reserve = createDatabaseRates(orm);
  await reserve({ name: 'key_a', limit: 10, points: 4 });
  await run(orm, 'update rate_windows set window_s = window_s - 3, used = 1000');
  t.like(await reserve({ name: 'key_a', limit: 10, points: 10 }), { granted: 10, remaining: 0 });
});

testOnEachDatabase(
  'a second that lies far ahead was written before the clock went back',
  async (t, orm) => {
    const reserve = createDatabaseRates(orm);
    await reserve({ name: 'key_a', limit: 10, points: 10 });
    await run(orm, 'update rate_windows set window_s = window_s + 3600');
    t.is((await reserve({ name: 'key_a', limit: 10, points: 10 })).granted, 10);
  },
);

testOnEachDatabase(
  'who comes with the second before takes of the one that has begun',
  async (t, orm) => {
    const reserve = createDatabaseRates(orm);
    await reserve({ name: 'key_a', limit: 10, points: 10 });
    await run(orm, 'update rate_windows set window_s = window_s + 2, used = 8');
    t.like(await reserve({ name: 'key_a', limit: 10, points: 10 }), { granted: 2, remaining: 0 });
  },
);

testOnEachDatabase('the rows of rates that nobody uses are removed', async (t, orm) => {
  const reserve = createDatabaseRates(orm);
  await reserve({ name: 'key_old', limit: 10, points: 1 });
  await run(orm, 'update rate_windows set window_s = window_s - 100');
  await reserve({ name: 'key_new', limit: 10, points: 1 });
  await removeOldRates({ orm });
  t.deepEqual(await run(orm, 'select name from rate_windows'), [{ name: 'key_new' }]);
});

testOnPostgres('PostgreSQL need not write them to its log', async (t, orm) => {
  const found = await run(
    orm,
    "select relpersistence from pg_class where relname = 'rate_windows'",
  );
  t.deepEqual(found, [{ relpersistence: 'u' }]);
});
