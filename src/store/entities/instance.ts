import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

export type InstanceStatus = 'PROVISIONING' | 'RUNNING' | 'FAILED' | 'DELETING' | 'DELETED';

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

    // Wanted.
    desired: p.string().$type<'present' | 'absent'>(),
    generation: p.integer(),
    maxMemoryBytes: p.bigint('number'),
    evictionPolicy: p.string(),
    persistence: p.boolean(),
    /** The image reference the container runs, pinned when the instance was created. */
    image: p.string(),
    /** The port on the Docker host, unique in its region while the instance lives. */
    nodePort: p.integer().nullable(),

    // Observed.
    status: p.string().$type<InstanceStatus>(),
    appliedGeneration: p.integer(),
    nodeHost: p.string().nullable(),
    /** The platform user's password, sealed for `instances/<id>/password`. */
    passwordSealed: p.text().nullable(),
    failureCode: p.string().nullable(),
    failureMessage: p.text().nullable(),

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
