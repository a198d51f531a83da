/** Organizations: made, listed, shown with what their plan allows, renamed, deleted. */
import { recordChange } from '../audit/record.ts';
import { defaultPlan, type Plan, planOf } from '../instances/plans.ts';
import { lockOrganization, readUsage, type Usage } from '../instances/quotas.ts';
import { AppError } from '../lib/errors.ts';
import { etagOf, requireMatch } from '../lib/etag.ts';
import { newId } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { AccountKeyEntity } from '../store/entities/account-key.ts';
import { DataKeyEntity, KeyBindingEntity } from '../store/entities/data-key.ts';
import { InvitationEntity, MembershipEntity } from '../store/entities/membership.ts';
import { type Organization, OrganizationEntity } from '../store/entities/organization.ts';
import { type Page, type PageRequest, pageQuery, toPage } from '../store/paging.ts';
import { type Caller, requirePerson, requireRole } from './caller.ts';
import { lockPerson, requireRoom } from './limits.ts';
import type { Role } from './roles.ts';
import type { AccountServices } from './services.ts';

/** An organization as one caller sees it. */
export interface OwnOrganization {
  readonly organization: Organization;
  readonly role: Role;
}

export interface OrganizationDetails extends OwnOrganization {
  readonly limits: Plan;
  readonly usage: Usage;
}

/** The ETag of what can be changed of an organization. */
export function organizationEtag({ name }: Pick<Organization, 'name'>): string {
  return etagOf({ name });
}

/**
 * Makes an organization with the person as its owner.
 * @throws {AppError} `person_needed`, `forbidden`, `quota_exceeded`.
 */
export async function createOrganization(
  { orm, clock }: AccountServices,
  caller: Caller,
  { name }: { readonly name: string },
): Promise<OwnOrganization> {
  const { userId } = requirePerson(caller, 'owner');
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    await lockPerson(tx, userId);
    const owned = await tx.count(MembershipEntity, { userId, role: 'owner' });
    requireRoom('ownedOrganizations', owned);
    return await writeOrganization(tx, caller, { name, ownerId: userId, now: clock.now() });
  });
}

/** Writes a new organization with its owner, in the caller's transaction. */
export async function writeOrganization(
  tx: EntityManager,
  caller: Caller,
  { name, ownerId, now }: { readonly name: string; readonly ownerId: string; readonly now: Date },
): Promise<OwnOrganization> {
  const organization = tx.create(OrganizationEntity, {
    id: newId('org'),
    name,
    plan: defaultPlan,
    createdAt: now,
  });
  const { id: organizationId } = organization;
  await tx.flush();
  tx.create(MembershipEntity, { organizationId, userId: ownerId, role: 'owner', createdAt: now });
  const action = 'organization.create';
  recordChange(tx, caller, now, { organizationId, action, targetId: organizationId });
  await tx.flush();
  return { organization, role: 'owner' };
}

/** The organizations that the caller may act for, oldest first. */
export async function listOrganizations(
  orm: Orm,
  { roles }: Pick<Caller, 'roles'>,
  page: PageRequest,
): Promise<Page<Organization> & { readonly own: OwnOrganization[] }> {
  const { where, options } = pageQuery<Organization>(page, 'oldest first');
  const em = orm.em.fork();
  const mine = { id: { $in: [...roles.keys()] }, deletedAt: null };
  const found = await em.find(OrganizationEntity, { $and: [mine, where] }, options);
  const { rows, nextCursor } = toPage(found, page);
  const own = rows.map((organization) => {
    return { organization, role: roles.get(organization.id) ?? 'viewer' };
  });
  return { rows, nextCursor, own };
}

/**
 * An organization with its limits and what is used of them.
 * @throws {AppError} `not_found`.
 */
export async function getOrganization(
  orm: Orm,
  caller: Caller,
  organizationId: string,
): Promise<OrganizationDetails> {
  requireRole(caller, organizationId, 'viewer');
  const em = orm.em.fork() as EntityManager;
  const organization = await em.findOne(OrganizationEntity, { id: organizationId });
  if (!organization) throw new AppError('not_found', 'There is no such organization.');
  return await describe(em, caller, organization);
}

async function describe(
  em: EntityManager,
  caller: Caller,
  organization: Organization,
): Promise<OrganizationDetails> {
  return {
    organization,
    role: caller.roles.get(organization.id) ?? 'viewer',
    limits: planOf(organization.plan),
    usage: await readUsage(em, organization.id),
  };
}

/**
 * Renames an organization.
 * @throws {AppError} `not_found`, `forbidden`, `changed_meanwhile`.
 */
export async function renameOrganization(
  { orm, clock }: AccountServices,
  caller: Caller,
  organizationId: string,
  { name, ifMatch }: { readonly name: string; readonly ifMatch: string | undefined },
): Promise<OrganizationDetails> {
  requireRole(caller, organizationId, 'admin');
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    await lockOrganization(tx, organizationId);
    const organization = await tx.findOneOrFail(OrganizationEntity, { id: organizationId });
    requireMatch(ifMatch, organizationEtag(organization));
    organization.name = name;
    const fact = { organizationId, action: 'organization.update', targetId: organizationId };
    recordChange(tx, caller, clock.now(), { ...fact, details: { name } });
    await tx.flush();
    return await describe(tx, caller, organization);
  });
}

/**
 * Deletes an organization with its members, invitations and keys. Its row and its audit log stay.
 * @throws {AppError} `not_found`, `forbidden`, `organization_not_empty`.
 */
export async function deleteOrganization(
  { orm, clock }: AccountServices,
  caller: Caller,
  organizationId: string,
): Promise<void> {
  requireRole(caller, organizationId, 'owner');
  const em = orm.em.fork() as EntityManager;
  await em.transactional(async (tx) => {
    await lockOrganization(tx, organizationId);
    const { instances } = await readUsage(tx, organizationId);
    if (instances > 0) {
      const message = `${instances} of its instances are not deleted.`;
      throw new AppError('organization_not_empty', message, { organizationId });
    }
    const now = clock.now();
    const organization = await tx.findOneOrFail(OrganizationEntity, { id: organizationId });
    organization.deletedAt = now;
    const keys = await tx.find(DataKeyEntity, { organizationId }, { fields: ['id'] });
    await tx.nativeDelete(KeyBindingEntity, { keyId: { $in: keys.map(({ id }) => id) } });
    await tx.nativeDelete(DataKeyEntity, { organizationId });
    await tx.nativeDelete(AccountKeyEntity, { organizationId });
    await tx.nativeDelete(InvitationEntity, { organizationId });
    await tx.nativeDelete(MembershipEntity, { organizationId });
    const action = 'organization.delete';
    recordChange(tx, caller, now, { organizationId, action, targetId: organizationId });
    await tx.flush();
  });
}
