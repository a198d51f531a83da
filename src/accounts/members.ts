/**
 * Members: the people of an organization and their roles.
 *
 * Guarantees: an organization always has an owner, also when two changes come at once, because each
 * counts the owners under the lock of the organization; nobody gives or takes a role above their own; the
 * open invitations of who is removed or gets a lesser role go with what they could do.
 */
import { recordChange } from '../audit/record.ts';
import { lockOrganization } from '../instances/quotas.ts';
import { AppError } from '../lib/errors.ts';
import { etagOf, requireMatch } from '../lib/etag.ts';
import { idPattern } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type Membership, MembershipEntity } from '../store/entities/membership.ts';
import { type User, UserEntity } from '../store/entities/user.ts';
import { type PageRequest, pageQuery, toPage } from '../store/paging.ts';
import { type Caller, requireGivable, requireRole } from './caller.ts';
import { endInvitationsOfMember } from './invitations.ts';
import { covers, type Role } from './roles.ts';
import type { AccountServices } from './services.ts';

const userIdPattern = idPattern('user');

export interface Member {
  readonly user: User;
  readonly membership: Membership;
}

export interface RoleChange {
  readonly organizationId: string;
  readonly userId: string;
  readonly role: Role;
  readonly ifMatch: string | undefined;
}

/** The ETag of what can be changed of a member. */
export function memberEtag({ role }: Pick<Membership, 'role'>): string {
  return etagOf({ role });
}

/** Lists an organization's members, by when they signed up. @throws {AppError} `not_found`. */
export async function listMembers(
  orm: Orm,
  caller: Caller,
  organizationId: string,
  page: PageRequest,
): Promise<{ members: Member[]; nextCursor: string | null }> {
  requireRole(caller, organizationId, 'viewer');
  const { where, options } = pageQuery<User>(page, 'oldest first');
  const em = orm.em.fork();
  const memberships = await em.find(MembershipEntity, { organizationId });
  const byUser = new Map(memberships.map((membership) => [membership.userId, membership]));
  const ours = { id: { $in: [...byUser.keys()] } };
  const found = await em.find(UserEntity, { $and: [ours, where] }, options);
  const { rows, nextCursor } = toPage(found, page);
  const members = rows.flatMap((user) => {
    const membership = byUser.get(user.id);
    return membership ? [{ user, membership }] : [];
  });
  return { members, nextCursor };
}

/**
 * Gives a member another role.
 * @throws {AppError} `not_found`, `forbidden`, `last_owner`, `changed_meanwhile`.
 */
export async function changeRole(
  { orm, clock }: AccountServices,
  caller: Caller,
  { organizationId, userId, role, ifMatch }: RoleChange,
): Promise<Member> {
  requireGivable(caller, organizationId, role);
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const membership = await lockMember(tx, organizationId, userId);
    requireGivable(caller, organizationId, membership.role);
    requireMatch(ifMatch, memberEtag(membership));
    if (role !== 'owner') await requireOtherOwner(tx, membership);
    const isLesser = !covers(role, membership.role);
    const endedInvitations = isLesser
      ? await endInvitationsOfMember(tx, organizationId, userId)
      : 0;
    const details = { from: membership.role, to: role, endedInvitations };
    membership.role = role;
    const fact = { organizationId, action: 'member.update', targetId: userId, details };
    recordChange(tx, caller, clock.now(), fact);
    await tx.flush();
    return { user: await tx.findOneOrFail(UserEntity, { id: userId }), membership };
  });
}

/**
 * Removes a member. Everybody may remove themselves.
 * @throws {AppError} `not_found`, `forbidden`, `last_owner`.
 */
export async function removeMember(
  { orm, clock }: AccountServices,
  caller: Caller,
  organizationId: string,
  userId: string,
): Promise<void> {
  // A read-only key of a person is not the person leaving.
  const isLeaving = caller.userId === userId && caller.ceiling === 'owner';
  requireRole(caller, organizationId, isLeaving ? 'viewer' : 'admin');
  const em = orm.em.fork() as EntityManager;
  await em.transactional(async (tx) => {
    const membership = await lockMember(tx, organizationId, userId);
    if (!isLeaving) requireGivable(caller, organizationId, membership.role);
    await requireOtherOwner(tx, membership);
    await tx.nativeDelete(MembershipEntity, { organizationId, userId });
    const endedInvitations = await endInvitationsOfMember(tx, organizationId, userId);
    const details = { role: membership.role, endedInvitations };
    const fact = { organizationId, action: 'member.delete', targetId: userId, details };
    recordChange(tx, caller, clock.now(), fact);
    await tx.flush();
  });
}

async function lockMember(
  tx: EntityManager,
  organizationId: string,
  userId: string,
): Promise<Membership> {
  await lockOrganization(tx, organizationId);
  const membership = userIdPattern.test(userId)
    ? await tx.findOne(MembershipEntity, { organizationId, userId })
    : null;
  if (!membership) throw new AppError('not_found', 'There is no such member.', { organizationId });
  return membership;
}

async function requireOtherOwner(
  tx: EntityManager,
  { organizationId, role }: Membership,
): Promise<void> {
  if (role !== 'owner') return;
  const owners = await tx.count(MembershipEntity, { organizationId, role: 'owner' });
  if (owners < 2) throw new AppError('last_owner', undefined, { organizationId });
}
