/**
 * Account keys as their owners handle them: made, listed, renamed, removed.
 *
 * A key belongs to an organization, whose admins see to it, or it is personal and acts for its person in
 * all of their organizations.
 *
 * Guarantees: nobody makes, renames or removes a key that may do more than they may; a key may remove
 * itself; the secret is in the answer that makes the key and nowhere else.
 */
import { LockMode } from '@mikro-orm/core';
import { recordChange } from '../audit/record.ts';
import { lockOrganization } from '../instances/quotas.ts';
import { createAccountSecret } from '../keys/format.ts';
import { requireFuture } from '../lib/end-time.ts';
import { AppError } from '../lib/errors.ts';
import { etagOf, requireMatch } from '../lib/etag.ts';
import { idPattern, newId } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type AccountKey, AccountKeyEntity } from '../store/entities/account-key.ts';
import { type Page, type PageRequest, pageQuery, toPage } from '../store/paging.ts';
import { type Caller, requireGivable, requirePerson, requireRole } from './caller.ts';
import { endInvitationsOfKey } from './invitations.ts';
import { lockPerson, requireRoom } from './limits.ts';
import { covers, type Role } from './roles.ts';
import type { AccountServices } from './services.ts';

const keyIdPattern = idPattern('acct');

export interface NewAccountKey {
  readonly name: string;
  /** Undefined makes a personal key. */
  readonly organizationId: string | undefined;
  /** The caller's own where undefined. */
  readonly role: Role | undefined;
  readonly scope: 'full' | 'read-only' | undefined;
  readonly expiresAt: Date | null;
}

/** The ETag of what can be changed of an account key. */
export function accountKeyEtag({ name }: Pick<AccountKey, 'name'>): string {
  return etagOf({ name });
}

/**
 * Makes an account key and gives its secret, this once.
 * @throws {AppError} `not_found`, `forbidden`, `person_needed`, `quota_exceeded`, `invalid_request`.
 */
export async function createAccountKey(
  { orm, clock }: AccountServices,
  caller: Caller,
  wanted: NewAccountKey,
): Promise<{ key: AccountKey; secret: string }> {
  const { organizationId, expiresAt } = wanted;
  const role = wantedRole(caller, wanted);
  requireRight(caller, { organizationId, role });
  const now = clock.now();
  requireFuture(expiresAt, now);
  const { secret, hash: secretHash } = createAccountSecret();
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    await requireRoomForKey(tx, caller, organizationId);
    const key = tx.create(AccountKeyEntity, {
      id: newId('acct'),
      organizationId: organizationId ?? null,
      userId: caller.userId,
      name: wanted.name,
      role,
      secretHash,
      createdAt: now,
      expiresAt,
    });
    recordKeyChange(tx, caller, now, key, 'create');
    await tx.flush();
    return { key, secret };
  });
}

/**
 * Lists the keys of an organization, or, without one, the caller's personal keys; oldest first.
 * @throws {AppError} `not_found`, `forbidden`, `person_needed`.
 */
export async function listAccountKeys(
  orm: Orm,
  caller: Caller,
  organizationId: string | undefined,
  page: PageRequest,
): Promise<Page<AccountKey>> {
  if (organizationId !== undefined) requireRole(caller, organizationId, 'admin');
  const whose =
    organizationId === undefined
      ? { organizationId: null, userId: requirePerson(caller, 'admin').userId }
      : { organizationId };
  const { where, options } = pageQuery<AccountKey>(page, 'oldest first');
  const found = await orm.em.fork().find(AccountKeyEntity, { $and: [whose, where] }, options);
  return toPage(found, page);
}

/** Finds a key that the caller sees to, or the caller's very own. @throws {AppError} `not_found`, `forbidden`. */
export async function getAccountKey(orm: Orm, caller: Caller, id: string): Promise<AccountKey> {
  const key = await findOwnKey(orm.em.fork() as EntityManager, caller, id);
  if (!isItself(caller, key)) requireRight(caller, { ...key, role: 'viewer' });
  return key;
}

/** Renames a key. @throws {AppError} `not_found`, `forbidden`, `changed_meanwhile`. */
export async function renameAccountKey(
  { orm, clock }: AccountServices,
  caller: Caller,
  id: string,
  { name, ifMatch }: { readonly name: string; readonly ifMatch: string | undefined },
): Promise<AccountKey> {
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const key = await findOwnKey(tx, caller, id, LockMode.PESSIMISTIC_WRITE);
    requireRight(caller, key);
    requireMatch(ifMatch, accountKeyEtag(key));
    key.name = name;
    recordKeyChange(tx, caller, clock.now(), key, 'update');
    await tx.flush();
    return key;
  });
}

/**
 * Removes a key: it is refused from the next request on, and its open invitations let nobody in.
 * @throws {AppError} `not_found`, `forbidden`.
 */
export async function deleteAccountKey(
  { orm, clock }: Pick<AccountServices, 'orm' | 'clock'>,
  caller: Caller,
  id: string,
): Promise<void> {
  const em = orm.em.fork() as EntityManager;
  await em.transactional(async (tx) => {
    const key = await findOwnKey(tx, caller, id, LockMode.PESSIMISTIC_WRITE);
    if (!isItself(caller, key)) requireRight(caller, key);
    await tx.nativeDelete(AccountKeyEntity, { id });
    await endInvitationsOfKey(tx, id);
    recordKeyChange(tx, caller, clock.now(), key, 'delete');
    await tx.flush();
  });
}

function wantedRole(caller: Caller, { organizationId, role, scope }: NewAccountKey): Role {
  if (scope === 'read-only') return 'viewer';
  const own = organizationId === undefined ? caller.ceiling : caller.roles.get(organizationId);
  return role ?? own ?? 'viewer';
}

function isItself({ kind, id }: Caller, key: AccountKey): boolean {
  return kind === 'account-key' && id === key.id;
}

/** An organization's admin, or the person themselves; never beyond what the caller may do. */
function requireRight(
  caller: Caller,
  key: { readonly organizationId?: string | null | undefined; readonly role: Role },
): void {
  if (key.organizationId) {
    requireGivable(caller, key.organizationId, key.role);
    return;
  }
  // Like an organization's keys, which need an admin: a developer's or reader's key makes no others.
  requirePerson(caller, covers(key.role, 'admin') ? key.role : 'admin');
}

async function requireRoomForKey(
  tx: EntityManager,
  caller: Caller,
  organizationId: string | undefined,
): Promise<void> {
  if (organizationId !== undefined) {
    await lockOrganization(tx, organizationId);
    const used = await tx.count(AccountKeyEntity, { organizationId });
    requireRoom('accountKeys', used, organizationId);
    return;
  }
  const { userId } = requirePerson(caller);
  await lockPerson(tx, userId);
  requireRoom('accountKeys', await tx.count(AccountKeyEntity, { organizationId: null, userId }));
}

async function findOwnKey(
  em: EntityManager,
  caller: Caller,
  id: string,
  lockMode?: LockMode,
): Promise<AccountKey> {
  const whose = [
    { organizationId: { $in: [...caller.roles.keys()] } },
    ...(caller.userId ? [{ organizationId: null, userId: caller.userId }] : []),
  ];
  const options = lockMode ? { lockMode } : {};
  const key = keyIdPattern.test(id)
    ? await em.findOne(AccountKeyEntity, { id, $or: whose }, options)
    : null;
  if (!key) throw new AppError('not_found', 'There is no such account key.');
  return key;
}

function recordKeyChange(
  tx: EntityManager,
  caller: Caller,
  now: Date,
  { id: targetId, organizationId, name, role }: AccountKey,
  verb: 'create' | 'update' | 'delete',
): void {
  const fact = { organizationId: organizationId ?? null, action: `account-key.${verb}`, targetId };
  recordChange(tx, caller, now, { ...fact, details: { name, role } });
}
