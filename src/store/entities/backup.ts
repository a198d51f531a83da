import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** `manual` and `scheduled` ones were taken from their instance, an `import` was uploaded for it. */
export type BackupKind = 'manual' | 'scheduled' | 'import';
export type BackupStatus = 'QUEUED' | 'RUNNING' | 'AVAILABLE' | 'FAILED' | 'DELETING';

/**
 * A backup: an RDB file of one instance, checksummed and encrypted, in the backup store. It outlives its
 * instance. AVAILABLE ones have been loaded by a Redis of their own once.
 */
export const BackupEntity = defineEntity({
  name: 'Backup',
  tableName: 'backups',
  properties: {
    id: p.string().primary(),
    organizationId: p.string(),
    instanceId: p.string(),
    kind: p.string().$type<BackupKind>(),
    status: p.string().$type<BackupStatus>(),
    createdAt: p.datetime(),
    finishedAt: p.datetime().nullable(),
    /** When a throw-away Redis had loaded it. */
    verifiedAt: p.datetime().nullable(),
    /** Its name in the backup store. */
    location: p.string().nullable(),
    /** Of the RDB file in clear. */
    sizeBytes: p.bigint('number').nullable(),
    /** Hexadecimal, of the RDB file in clear. */
    sha256: p.string().nullable(),
    keyCount: p.bigint('number').nullable(),
    /** What Redis needed for the data when it had loaded them, as maxmemory counts it. */
    memoryBytes: p.bigint('number').nullable(),
    redisVersion: p.string().nullable(),
    errorCode: p.string().nullable(),
    errorMessage: p.text().nullable(),

    // The runner's hold on the row, as in instances.
    leaseOwner: p.string().nullable(),
    leaseExpiresAtMs: p.bigint('number'),
    leaseEpoch: p.integer().default(0),
    attempts: p.integer().default(0),
  },
});

export type Backup = InferEntity<typeof BackupEntity>;
