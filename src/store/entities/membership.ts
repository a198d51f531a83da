import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** What somebody may do in an organization; src/accounts/roles.ts says what each allows. */
export type Role = 'owner' | 'admin' | 'developer' | 'viewer';

/** Says that a person belongs to an organization, and as what. */
export const MembershipEntity = defineEntity({
  name: 'Membership',
  tableName: 'memberships',
  properties: {
    organizationId: p.string().primary(),
    userId: p.string().primary(),
    role: p.string().$type<Role>(),
    createdAt: p.datetime(),
  },
});

export type Membership = InferEntity<typeof MembershipEntity>;

/** A way into an organization for whoever holds its link; only the secret's SHA-256 is kept. */
export const InvitationEntity = defineEntity({
  name: 'Invitation',
  tableName: 'invitations',
  properties: {
    id: p.string().primary(),
    organizationId: p.string(),
    /** Whom it is for; null means whoever has the link. */
    email: p.string().nullable(),
    role: p.string().$type<Role>(),
    secretHash: p.string().unique('invitations_secret_hash_unique'),
    /** The id of the person or account key that made it; it does not outlive their right to. */
    createdBy: p.string().nullable(),
    createdAt: p.datetime(),
    expiresAt: p.datetime(),
    acceptedAt: p.datetime().nullable(),
    acceptedBy: p.string().nullable(),
  },
});

export type Invitation = InferEntity<typeof InvitationEntity>;
