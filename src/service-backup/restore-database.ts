/**
 * The rows of an archive into an empty database: into the schema that they were read from, which is then
 * brought up to date as any old database is. All of it is one transaction: it is there whole or not at all.
 */
import type { Config } from '../config.ts';
import { systemClock } from '../lib/clock.ts';
import { newId } from '../lib/ids.ts';
import { connectDatabase, type EntityManager } from '../store/database.ts';
import { AuditEntryEntity } from '../store/entities/audit-entry.ts';
import { ArchiveError, type Member } from './archive.ts';
import type { Manifest } from './manifest.ts';
import { loadRows } from './tables.ts';

/** What nobody holds any more, and what is tried again with a look at what is there. */
const resets = [
  'update instances set lease_owner = null, lease_expires_at_ms = 0, next_attempt_at_ms = 0',
  // The first try after a restore is never a first one: it begins with recovery.
  `update instances set attempts = 1
    where applied_generation < generation and failed_generation < generation and attempts = 0`,
  'update backups set lease_owner = null, lease_expires_at_ms = 0',
  'update duties set owner = null, expires_at_ms = 0',
];

/** @throws {ArchiveError} for a database that is past the archive's schema, where nothing is written. */
export async function restoreDatabase(
  config: Pick<Config, 'databaseUrl' | 'databaseFile'>,
  manifest: Manifest,
  members: AsyncIterable<Member>,
): Promise<void> {
  const { orm, migrator } = await connectDatabase(config);
  try {
    const executed = (await migrator.getExecuted()).map(({ name }) => name);
    if (executed.some((name) => !manifest.migrations.includes(name))) {
      const message =
        'The database was made by a newer version than the archive: give an empty one.';
      throw new ArchiveError(message);
    }
    const last = manifest.migrations.at(-1);
    const em = orm.em.fork() as EntityManager;
    await em.transactional(async (tx) => {
      const transaction = tx.getTransactionContext();
      if (last !== undefined) await migrator.up({ to: last, transaction });
      // A database that no service has used may still hold what its set-up noted.
      for (const table of ['settings', 'duties']) {
        if (manifest.tables[table] !== undefined) await tx.execute(`delete from ${table}`);
      }
      for await (const { name, body } of members) {
        if (name.startsWith('database/')) await loadRows(tx, body.toString('utf8'));
      }
      await migrator.up({ transaction });
      for (const reset of resets) await tx.execute(reset);
      await renewWishes(tx, manifest.inMotion);
      tx.create(AuditEntryEntity, auditEntry(manifest));
      await tx.flush();
    });
  } finally {
    await orm.close();
  }
}

/** What changed while the backup was made is brought to its wish once more, beginning with recovery. */
async function renewWishes(tx: EntityManager, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await tx.execute(
      `update instances set generation = generation + 1, attempts = 1
        where id = ? and status not in ('DELETED', 'DELETING', 'FAILED')`,
      [id],
    );
  }
}

function auditEntry({ createdAt, version }: Manifest) {
  return {
    id: newId('aud'),
    organizationId: null,
    createdAt: systemClock.now(),
    actorKind: 'operator' as const,
    actorId: null,
    action: 'service.restore',
    outcome: 'done' as const,
    targetId: null,
    ip: null,
    requestId: null,
    details: { backupOf: createdAt, version },
  };
}
