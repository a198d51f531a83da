/** The API for tests of data keys, with what its use cases told the port of access, in order. */
import type { ExecutionContext } from 'ava';
import type { Orm } from '../../src/store/database.ts';
import { AuditEntryEntity } from '../../src/store/entities/audit-entry.ts';
import { startApi } from './api.ts';
import { addInstance, readInstance } from './rows.ts';

export const keys = '/api/v1/api-keys';
export const instances = '/api/v1/instances';

export async function startKeysApi(t: ExecutionContext, orm: Orm) {
  const told: string[] = [];
  const api = await startApi(t, orm, {
    access: {
      enforce: async (ids) => void told.push(['enforce', ...ids].join(' ')),
      forgetKey: (...ids) => void told.push(['forget', ...ids].join(' ')),
    },
  });
  const { organizationId } = api.owner;
  const addOwn = async () => (await addInstance(orm, { organizationId, status: 'RUNNING' })).id;
  const revisionOf = async (id: string) => (await readInstance(orm, id)).accessRevision;
  return { ...api, told, organizationId, addOwn, revisionOf };
}

/** What the audit log says was done. */
export async function listActions(orm: Orm, action: string): Promise<Record<string, unknown>[]> {
  const entries = await orm.em.fork().find(AuditEntryEntity, { action, outcome: 'done' });
  return entries.map(({ targetId, details }) => ({ targetId, ...details }));
}
