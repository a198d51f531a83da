import type { PersonView } from '../../accounts/log-in.ts';
import type { Member } from '../../accounts/members.ts';
import type { OrganizationDetails, OwnOrganization } from '../../accounts/organizations.ts';
import type { AccountKey } from '../../store/entities/account-key.ts';
import type { Invitation } from '../../store/entities/membership.ts';
import type { User } from '../../store/entities/user.ts';
import type {
  accountKeySchema,
  createdAccountKeySchema,
  createdInvitationSchema,
  invitationSchema,
  memberSchema,
  organizationDetailsSchema,
  organizationSchema,
  personSchema,
} from '../schemas/accounts.ts';
import type { Shown } from './failure.ts';

export function presentPerson(user: User): Shown<typeof personSchema> {
  const { id, email, name, createdAt } = user;
  return { id, email, name, createdAt: createdAt.toISOString() };
}

export function presentOrganization({
  organization: { id, name, plan, createdAt },
  role,
}: OwnOrganization): Shown<typeof organizationSchema> {
  return { id, name, plan, role, createdAt: createdAt.toISOString() };
}

/** A person with their organizations: what a session is. */
export function presentPersonView({ user, organizations }: PersonView): {
  user: Shown<typeof personSchema>;
  organizations: Shown<typeof organizationSchema>[];
} {
  return { user: presentPerson(user), organizations: organizations.map(presentOrganization) };
}

export function presentOrganizationDetails(
  details: OrganizationDetails,
): Shown<typeof organizationDetailsSchema> {
  const { limits, usage } = details;
  return {
    ...presentOrganization(details),
    limits: {
      instancesMax: limits.instancesMax,
      maxMemoryMibMin: limits.maxMemoryMibMin,
      maxMemoryMibMax: limits.maxMemoryMibMax,
      memoryMibTotalMax: limits.memoryMibTotalMax,
      keysMax: limits.keysMax,
      requestsPerSecond: limits.requestsPerSecond,
      connectionsMax: limits.connectionsMax,
      apiRequestsPerMinute: limits.apiRequestsPerMinute,
      operationsInFlightMax: limits.operationsInFlightMax,
      backupsMax: limits.backupsMax,
    },
    usage: {
      instances: usage.instances,
      memoryBytes: usage.memoryBytes,
      keys: usage.keys,
      operationsInFlight: usage.operationsInFlight,
      backups: usage.backups,
    },
  };
}

export function presentMember({ user, membership }: Member): Shown<typeof memberSchema> {
  return {
    userId: user.id,
    email: user.email,
    name: user.name,
    role: membership.role,
    joinedAt: membership.createdAt.toISOString(),
  };
}

export function presentInvitation(invitation: Invitation): Shown<typeof invitationSchema> {
  return {
    id: invitation.id,
    organizationId: invitation.organizationId,
    email: invitation.email ?? null,
    role: invitation.role,
    createdBy: invitation.createdBy ?? null,
    createdAt: invitation.createdAt.toISOString(),
    expiresAt: invitation.expiresAt.toISOString(),
    acceptedAt: invitation.acceptedAt?.toISOString() ?? null,
  };
}

/** What follows `#` stays in the browser: no server and no log sees it on the way. */
export function presentCreatedInvitation(
  { invitation, secret }: { readonly invitation: Invitation; readonly secret: string },
  baseUrl: string,
): Shown<typeof createdInvitationSchema> {
  return { ...presentInvitation(invitation), link: `${baseUrl}/invitations#${secret}` };
}

export function presentAccountKey(key: AccountKey): Shown<typeof accountKeySchema> {
  return {
    id: key.id,
    name: key.name,
    organizationId: key.organizationId ?? null,
    role: key.role,
    scope: key.role === 'viewer' ? 'read-only' : 'full',
    createdBy: key.userId ?? null,
    createdAt: key.createdAt.toISOString(),
    lastUsed: key.lastUsedAt?.toISOString() ?? null,
    expiresAt: key.expiresAt?.toISOString() ?? null,
  };
}

export function presentCreatedAccountKey({
  key,
  secret,
}: {
  readonly key: AccountKey;
  readonly secret: string;
}): Shown<typeof createdAccountKeySchema> {
  return { ...presentAccountKey(key), plainTextKey: secret };
}
