import test from 'ava';
import type { EntityManager } from '../../../src/store/database.ts';
import { SettingEntity } from '../../../src/store/entities/setting.ts';
import { openTestDatabase } from '../../support/databases.ts';

test('a transaction that found no room leaves the embedded database usable', async (t) => {
  const orm = await openTestDatabase(t);
  const connection = (orm.em.fork() as EntityManager).getConnection();
  const write = (name: string, value: string): Promise<void> =>
    orm.em.fork().transactional(async (tx) => {
      await tx.upsert(SettingEntity, { name, value });
    });
  // As many pages as there are: the next one is one too many.
  const [{ page_count: pages } = { page_count: 0 }] =
    await connection.execute<{ page_count: number }[]>('pragma page_count');
  await connection.execute(`pragma max_page_count=${pages}`);
  await t.throwsAsync(write('large', 'x'.repeat(1_000_000)), { message: /full/ });

  await connection.execute('pragma max_page_count=1000000');
  await write('small', 'y');
  t.is((await orm.em.fork().findOneOrFail(SettingEntity, { name: 'small' })).value, 'y');
});
