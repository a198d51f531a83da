/** Backups, as the control API takes and gives them. */
import { z } from 'zod';
import { cronProblem } from '../../lib/cron.ts';
import { failureSchema, listOf, organizationId, pageQueryFields, timestamp } from './common.ts';
import { textOf } from './text.ts';

const backupStatus = z
  .enum(['QUEUED', 'RUNNING', 'AVAILABLE', 'FAILED'])
  .meta({ id: 'BackupStatus' });

export const backupSchema = z
  .object({
    id: z.string().meta({ example: 'bkp_k2v7' }),
    organizationId: z.string().meta({ example: 'org_abc123' }),
    instanceId: z.string().meta({ example: 'inst_abc123' }),
    kind: z
      .enum(['manual', 'scheduled', 'import'])
      .meta({ description: '`import`: brought as a file, not taken.' }),
    status: backupStatus,
    sizeBytes: z.number().int().nullable().meta({
      example: 1048576,
      description: 'Of the RDB file.',
    }),
    sha256: z.string().nullable().meta({
      example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      description: 'Of the RDB file, hexadecimal.',
    }),
    keyCount: z.number().int().nullable().meta({ example: 1200 }),
    memoryBytes: z.number().int().nullable().meta({
      example: 4194304,
      description: 'What Redis needs for its data: maxMemory of an instance to restore it into.',
    }),
    redisVersion: z.string().nullable().meta({ example: '7.0.15' }),
    error: failureSchema.nullable(),
    createdAt: timestamp,
    finishedAt: timestamp.nullable(),
    verifiedAt: timestamp.nullable().meta({
      description: 'When a Redis of its own had loaded it, read back from the store.',
    }),
  })
  .meta({ id: 'Backup' });

/** Backups by themselves. */
export const backupRuleSchema = z
  .strictObject({
    schedule: textOf(100)
      .regex(
        /^[0-9A-Za-z*,/#?-]+( [0-9A-Za-z*,/#?-]+){4}$/,
        'must be a cron expression of five fields, e.g. "0 3 * * *" for 03:00 UTC each day',
      )
      .superRefine((schedule, context) => {
        const problem = cronProblem(schedule);
        if (problem) context.addIssue(problem);
      })
      .meta({
        example: '0 3 * * *',
        description: 'A cron expression in UTC; at least five minutes between two times.',
      }),
    keepCount: z.number().int().min(1).max(1000).default(7).meta({
      example: 7,
      description: 'How many scheduled backups are kept.',
    }),
    keepDays: z.number().int().min(1).max(3650).nullable().default(null).meta({
      example: 30,
      description: 'How long they are kept; the newest always is.',
    }),
  })
  .meta({ id: 'BackupRule' });

/** The rule of an instance, with its next time. */
export const shownBackupRuleSchema = z
  .object({
    schedule: z.string().meta({ example: '0 3 * * *' }),
    keepCount: z.number().int().meta({ example: 7 }),
    keepDays: z.number().int().nullable().meta({ example: 30 }),
    nextAt: timestamp.nullable(),
  })
  .meta({ id: 'InstanceBackups' });

/** What a list of backups takes. */
export const backupFilterSchema = z.strictObject({
  organizationId,
  instanceId: textOf(64)
    .optional()
    .meta({ description: 'Only those of this instance, deleted or not.' }),
  status: listOf(backupStatus)
    .optional()
    .meta({ description: 'Only those with one of these; repeated or separated by commas.' }),
  ...pageQueryFields,
});

/** A backup's id in a path: any text will do, what is not one of ours is not found. */
export const backupParams = z.object({ backupId: textOf(64) });
