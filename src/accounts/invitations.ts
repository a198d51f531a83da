/**
 * Invitations: a link that makes whoever follows it a member.
 *
 * Guarantees: the secret is in the answer that makes the invitation and nowhere else; one person is let
 * in by it, also when two come at once; it gives no role above that of whoever made it, and none to
 * another address than the one it names; while it is open it ends with its maker's part in the
 * organization, a lesser role of theirs included.
 */
import { LockMode } from '@mikro-orm/core';
import { recordChange } from '../audit/record.ts';
import { lockOrganization } from '../instances/quotas.ts';
import { sha256Hex } from '../lib/crypto.ts';
import { AppError } from '../lib/errors.ts';
import { idPattern, newId } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { AccountKeyEntity } from '../store/entities/account-key.ts';
import {
  type Invitation,
  InvitationEntity,
  MembershipEntity,
} from '../store/entities/membership.ts';
import { OrganizationEntity } from '../store/entities/organization.ts';
import { UserEntity } from '../store/entities/user.ts';
import { type Page, type PageRequest, pageQuery, toPage } from '../store/paging.ts';
import { type Caller, requireGivable, requirePerson, requireRole } from './caller.ts';
import { requireRoom } from './limits.ts';
import type { OwnOrganization } from './organizations.ts';
import { lesserRole, type Role } from './roles.ts';
import { createSecret, isSecret } from './secrets.ts';
import type { AccountServices } from './services.ts';

const invitationIdPattern = idPattern('inv');
const hourMs = 3_600_000;

export interface NewInvitation {
  readonly organizationId: string;
  readonly role: Role;
  /** In lower case; null lets in whoever has the link. */
  readonly email: string | null;
  readonly expiresInHours: number;
}

/**
 * Makes an invitation and gives its secret, this once.
 * @throws {AppError} `not_found`, `forbidden`, `quota_exceeded`.
 */
export async function createInvitation(
  { orm, clock }: AccountServices,
  caller: Caller,
  { organizationId, role, email, expiresInHours }: NewInvitation,
): Promise<{ invitation: Invitation; secret: string }> {
  requireGivable(caller, organizationId, role);
  const { secret, hash: secretHash } = createSecret();
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    await lockOrganization(tx, organizationId);
    await requirePresentRight(tx, caller, organizationId, role);
    const now = clock.now();
    const open = { organizationId, acceptedAt: null };
    await tx.nativeDelete(InvitationEntity, { ...open, expiresAt: { $lte: now } });
    requireRoom('openInvitations', await tx.count(InvitationEntity, open), organizationId);
    const invitation = tx.create(InvitationEntity, {
      id: newId('inv'),
      organizationId,
      email,
      role,
      secretHash,
      createdBy: caller.id,
      createdAt: now,
      expiresAt: new Date(now.getTime() + expiresInHours * hourMs),
    });
    const fact = { organizationId, action: 'invitation.create', targetId: invitation.id };
    recordChange(tx, caller, now, { ...fact, details: { role } });
    await tx.flush();
    return { invitation, secret };
  });
}

/**
 * Under the locks that a removal takes too, so that it either ends the invitation or is seen here.
 * @throws {AppError} `not_found`, `forbidden`.
 */
async function requirePresentRight(
  tx: EntityManager,
  caller: Caller,
  organizationId: string,
  role: Role,
): Promise<void> {
  const { kind, id, userId } = caller;
  if (kind === 'account-key' && id) {
    const lockMode = LockMode.PESSIMISTIC_WRITE;
    const key = await tx.findOne(AccountKeyEntity, { id }, { lockMode });
    if (!key) throw new AppError('forbidden', 'The key was removed.', { organizationId });
  }
  if (!userId) return;
  const membership = await tx.findOne(MembershipEntity, { organizationId, userId });
  const roles = new Map<string, Role>();
  if (membership) roles.set(organizationId, lesserRole(membership.role, caller.ceiling));
  requireGivable({ ...caller, roles }, organizationId, role);
}

/** Lists an organization's invitations, newest first. @throws {AppError} `not_found`, `forbidden`. */
export async function listInvitations(
  orm: Orm,
  caller: Caller,
  organizationId: string,
  page: PageRequest,
): Promise<Page<Invitation>> {
  requireRole(caller, organizationId, 'admin');
  const { where, options } = pageQuery<Invitation>(page, 'newest first');
  const query = { $and: [{ organizationId }, where] };
  return toPage(await orm.em.fork().find(InvitationEntity, query, options), page);
}

/** Revokes an invitation. @throws {AppError} `not_found`, `forbidden`. */
export async function revokeInvitation(
  { orm, clock }: AccountServices,
  caller: Caller,
  organizationId: string,
  invitationId: string,
): Promise<void> {
  requireRole(caller, organizationId, 'admin');
  const em = orm.em.fork() as EntityManager;
  await em.transactional(async (tx) => {
    const removed = invitationIdPattern.test(invitationId)
      ? await tx.nativeDelete(InvitationEntity, { id: invitationId, organizationId })
      : 0;
    if (removed === 0) {
      throw new AppError('not_found', 'There is no such invitation.', { organizationId });
    }
    const fact = { organizationId, action: 'invitation.delete', targetId: invitationId };
    recordChange(tx, caller, clock.now(), fact);
    await tx.flush();
  });
}

/**
 * Makes the person a member by an invitation's secret. Who is a member already stays what they are, and
 * the invitation stays open.
 * @throws {AppError} `person_needed`, `forbidden`, `invitation_invalid`, `quota_exceeded`.
 */
export async function acceptInvitation(
  { orm, clock }: AccountServices,
  caller: Caller,
  secret: string,
): Promise<OwnOrganization> {
  const { userId } = requirePerson(caller, 'owner');
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const { email } = await tx.findOneOrFail(UserEntity, { id: userId });
    return await takeInvitation(tx, caller, secret, { userId, email, now: clock.now() });
  });
}

/** The same for a person that the caller's transaction has just made. */
export async function takeInvitation(
  tx: EntityManager,
  caller: Caller,
  secret: string,
  { userId, email, now }: { readonly userId: string; readonly email: string; readonly now: Date },
): Promise<OwnOrganization> {
  const invitation = isSecret(secret)
    ? await tx.findOne(InvitationEntity, { secretHash: sha256Hex(secret) })
    : null;
  if (!invitation || (invitation.email !== null && invitation.email !== email)) {
    throw new AppError('invitation_invalid');
  }
  const { id, organizationId, role } = invitation;
  await lockOrganization(tx, organizationId);
  const organization = await tx.findOneOrFail(OrganizationEntity, { id: organizationId });
  const present = await tx.findOne(MembershipEntity, { organizationId, userId });
  if (present) return { organization, role: present.role };
  // The update finds the row only once, whoever comes at the same time.
  const open = { id, acceptedAt: null, expiresAt: { $gt: now } };
  const accepted = { acceptedAt: now, acceptedBy: userId };
  const taken = await tx.nativeUpdate(InvitationEntity, open, accepted);
  if (taken === 0) throw new AppError('invitation_invalid');
  const members = await tx.count(MembershipEntity, { organizationId });
  requireRoom('members', members, organizationId);
  tx.create(MembershipEntity, { organizationId, userId, role, createdAt: now });
  const fact = { organizationId, action: 'invitation.accept', targetId: id };
  recordChange(tx, caller, now, { ...fact, details: { role, userId } });
  await tx.flush();
  return { organization, role };
}

/**
 * Removes what a member has made and nobody has accepted, with the personal keys that they called by too.
 * To be called in the transaction that takes their role; gives how many.
 */
export async function endInvitationsOfMember(
  tx: EntityManager,
  organizationId: string,
  userId: string,
): Promise<number> {
  const ownKeys = { organizationId: null, userId };
  const keys = await tx.find(AccountKeyEntity, ownKeys, { fields: ['id'] });
  const createdBy = { $in: [userId, ...keys.map(({ id }) => id)] };
  return await tx.nativeDelete(InvitationEntity, { organizationId, createdBy, acceptedAt: null });
}

/** The same for an account key, in the transaction that removes it. */
export async function endInvitationsOfKey(tx: EntityManager, keyId: string): Promise<number> {
  return await tx.nativeDelete(InvitationEntity, { createdBy: keyId, acceptedAt: null });
}
