import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

export type InstanceStatus =
  | 'PROVISIONING'
  | 'RUNNING'
  | 'DEGRADED'
  | 'RESTARTING'
  | 'STOPPING'
  | 'STOPPED'
  | 'STARTING'
  | 'FAILED'
  | 'DELETING'
  | 'DELETED';

/** What the service does about what was changed past it: mend it, or only say so. */
export type DriftPolicy = 'repair' | 'report';

/** One thing about an instance that is otherwise than recorded, as its reader sees it. */
export interface DriftNote {
  kind: string;
  /** In plain words: what is so, and what was to be. */
  detail: string;
  /** ISO 8601. */
  since: string;
}

/** What a stack run can make of an instance: the settings that its configuration holds. */
export interface RecordedSettings {
  maxMemoryBytes: number;
  evictionPolicy: string;
  persistence: boolean;
  image: string;
}

/**
 * An instance: what its owner wants (the wanted columns and `generation`, which every wish raises) and
 * what was last made real (the observed columns and `appliedGeneration`). Only the reconciler writes
 * observed state, and only while it holds the lease.
 */
export const InstanceEntity = defineEntity({
  name: 'Instance',
  tableName: 'instances',
  properties: {
    id: p.string().primary(),
    organizationId: p.string(),
    name: p.string(),
    region: p.string(),
    tier: p.string(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    deletedAt: p.datetime().nullable(),

    // What people note about it; changes nothing real.
    labels: p.json<Record<string, string>>().onCreate(() => ({})),
    deletionProtection: p.boolean().default(false),
    /** From then on it is deleted, as if by its owner. */
    expiresAt: p.datetime().nullable(),

    // Wanted.
    desired: p.string().$type<'present' | 'absent'>(),
    generation: p.integer(),
    maxMemoryBytes: p.bigint('number'),
    evictionPolicy: p.string(),
    persistence: p.boolean(),
    power: p.string().$type<'on' | 'off'>().default('on'),
    /** The latest generation that asked for a restart; done once that generation is applied. */
    restartGeneration: p.integer().default(0),
    /** The image reference the container runs, pinned when the instance was created or upgraded. */
    image: p.string(),
    driftPolicy: p.string().$type<DriftPolicy>().default('repair'),
    /** The latest generation that may begin with an empty volume where its data was lost. */
    emptyVolumeGeneration: p.integer().default(0),
    /** The backup to be loaded by `restoreGeneration`; done once that generation is applied. */
    restoreBackupId: p.string().nullable(),
    restoreGeneration: p.integer().default(0),
    /** The latest generation whose restore began to change the data; written before the first change. */
    restoreBegunGeneration: p.integer().default(0),
    /** When backups are taken by themselves: a cron expression, in UTC. */
    backupSchedule: p.string().nullable(),
    backupKeepCount: p.integer().nullable(),
    backupKeepDays: p.integer().nullable(),
    backupNextAt: p.datetime().nullable(),
    /** The port on the Docker host, unique in its region while the instance lives. */
    nodePort: p.integer().nullable(),

    /** The memory in MiB that the host keeps for it: the larger of what is wanted and what is applied. */
    reservedMib: p.integer().default(0),

    // Observed.
    status: p.string().$type<InstanceStatus>(),
    appliedGeneration: p.integer(),
    /** The settings that were last made real; null before the first time. */
    appliedMaxMemoryBytes: p.bigint('number').nullable(),
    appliedEvictionPolicy: p.string().nullable(),
    appliedPersistence: p.boolean().nullable(),
    appliedImage: p.string().nullable(),
    /** What stack runs were asked for since they last did it: what differs from them too is an operator's. */
    triedSettings: p.json<RecordedSettings[]>().onCreate(() => []),
    /** What is known to be otherwise than recorded. */
    drift: p.json<DriftNote[]>().onCreate(() => []),
    /** The latest generation that was given up; it is not tried again until something new is wanted. */
    failedGeneration: p.integer().default(0),
    nodeHost: p.string().nullable(),
    /** The platform user's password, sealed for `instances/<id>/password`. */
    passwordSealed: p.text().nullable(),
    failureCode: p.string().nullable(),
    failureMessage: p.text().nullable(),

    // Access: raised by every change of the keys that open it, and how far Redis has followed.
    accessRevision: p.integer().default(0),
    accessAppliedRevision: p.integer().default(0),

    // The reconciler's hold on the row; times are milliseconds since the epoch.
    leaseOwner: p.string().nullable(),
    leaseExpiresAtMs: p.bigint('number'),
    /** Raised by every claim: a write with an older epoch is refused (fencing). */
    leaseEpoch: p.integer(),
    /** Tries of the current generation that have begun. */
    attempts: p.integer(),
    nextAttemptAtMs: p.bigint('number'),
  },
});

export type Instance = InferEntity<typeof InstanceEntity>;
