import { z } from 'zod';
import { listBackups, listBackupsOfInstance } from '../../../backups/read-backups.ts';
import { presentBackup } from '../../present/backups.ts';
import { defineRoute } from '../../route.ts';
import { backupFilterSchema, backupSchema } from '../../schemas/backups.ts';
import { nextCursor, pageQueryFields } from '../../schemas/common.ts';
import { instanceParams } from '../../schemas/instances.ts';

const answer = z.object({ backups: z.array(backupSchema), nextCursor });

export const listBackupsRoute = defineRoute({
  method: 'get',
  path: '/api/v1/backups',
  access: 'account',
  operationId: 'listBackups',
  summary: "List an organization's backups, those of deleted instances too",
  description: 'Newest first. Everything that is asked for must hold.',
  query: backupFilterSchema,
  answers: { 200: { description: 'The backups', schema: answer } },
  async handle({ query, caller, services }) {
    const { organizationId, instanceId, status: statuses, ...page } = query;
    const filter = { instanceId, statuses };
    const found = await listBackups(services.orm, caller, organizationId, filter, page);
    return {
      status: 200,
      body: { backups: found.rows.map(presentBackup), nextCursor: found.nextCursor },
    };
  },
});

export const listBackupsOfInstanceRoute = defineRoute({
  method: 'get',
  path: '/api/v1/instances/:instanceId/backups',
  access: 'account',
  operationId: 'listBackupsOfInstance',
  summary: "List an instance's backups, newest first",
  params: instanceParams,
  query: z.strictObject(pageQueryFields),
  answers: { 200: { description: 'The backups', schema: answer } },
  async handle({ params, query, caller, services }) {
    const found = await listBackupsOfInstance(services.orm, caller, params.instanceId, query);
    return {
      status: 200,
      body: { backups: found.rows.map(presentBackup), nextCursor: found.nextCursor },
    };
  },
});
