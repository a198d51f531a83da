/**
 * Log-in, log-out and the change of a password.
 *
 * Guarantees: an unknown address and a wrong password take the same way and get the same answer; tries
 * are held back by address and network; every failed one is in the audit log, without the address.
 */
import { recordChange, recordRefusal } from '../audit/record.ts';
import { sha256Hex } from '../lib/crypto.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { OrganizationEntity } from '../store/entities/organization.ts';
import { SessionEntity, type User, UserEntity } from '../store/entities/user.ts';
import { rolesOfUser } from './authenticate.ts';
import { anonymousCaller, type Caller, type Origin, requirePerson } from './caller.ts';
import { lockPerson } from './limits.ts';
import type { OwnOrganization } from './organizations.ts';
import { hashPassword, isOutdated, verifyPassword } from './passwords.ts';
import { isSecret } from './secrets.ts';
import type { AccountServices } from './services.ts';
import { writeSession } from './sessions.ts';

/** A person with the organizations they belong to. */
export interface PersonView {
  readonly user: User;
  readonly organizations: OwnOrganization[];
}

/**
 * Logs a person in. Gives the secret of a new session.
 * @param email in lower case.
 * @throws {AppError} `wrong_credentials`, `rate_limited`.
 */
export async function logIn(
  { orm, clock, accountThrottle }: AccountServices,
  origin: Origin,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<PersonView & { readonly sessionSecret: string }> {
  const succeeded = await accountThrottle.tryPassword(email, origin.ip);
  const em = orm.em.fork() as EntityManager;
  const user = await em.findOne(UserEntity, { email });
  const isRight = await verifyPassword(user?.passwordHash, password);
  const now = clock.now();
  if (!user || !isRight) {
    const fact = { organizationId: null, action: 'session.log-in', targetId: user?.id ?? null };
    recordRefusal(em, anonymousCaller(origin), now, fact);
    await em.flush();
    throw new AppError('wrong_credentials');
  }
  await succeeded();
  const { passwordHash } = user;
  const newHash = isOutdated(passwordHash) ? await hashPassword(password) : passwordHash;
  const sessionSecret = await em.transactional(async (tx) => {
    const present = await lockPerson(tx, user.id);
    // Whoever changed the password meanwhile has ended all sessions: none may begin with the old one.
    if (present.passwordHash !== passwordHash) throw new AppError('wrong_credentials');
    present.passwordHash = newHash;
    const secret = await writeSession(tx, user.id, now);
    recordOwn(tx, user.id, origin, now, 'session.log-in');
    await tx.flush();
    return secret;
  });
  return { ...(await readPerson(orm, user.id)), sessionSecret };
}

/** Ends the session of a secret; does nothing for one that has ended. */
export async function logOut(
  { orm, clock }: AccountServices,
  origin: Origin,
  secret: string | undefined,
): Promise<void> {
  if (!secret || !isSecret(secret)) return;
  const em = orm.em.fork() as EntityManager;
  await em.transactional(async (tx) => {
    const session = await tx.findOne(SessionEntity, { secretHash: sha256Hex(secret) });
    if (!session) return;
    const { id, userId } = session;
    const removed = await tx.nativeDelete(SessionEntity, { id });
    if (removed > 0) recordOwn(tx, userId, origin, clock.now(), 'session.log-out');
    await tx.flush();
  });
}

/** A person as they see themselves. */
export async function readPerson(orm: Orm, userId: string): Promise<PersonView> {
  const em = orm.em.fork();
  const user = await em.findOneOrFail(UserEntity, { id: userId });
  const roles = await rolesOfUser(em, userId);
  const ids = { id: { $in: [...roles.keys()] } };
  const found = await em.find(OrganizationEntity, ids, { orderBy: { createdAt: 1, id: 1 } });
  const organizations = found.map((organization) => {
    return { organization, role: roles.get(organization.id) ?? 'viewer' };
  });
  return { user, organizations };
}

/** @param keptSecret the secret of the session that asks, which goes on. */
export interface PasswordChange {
  readonly currentPassword: string;
  readonly newPassword: string;
  readonly keptSecret: string | undefined;
}

/**
 * Changes the caller's password and ends their other sessions.
 * @throws {AppError} `person_needed`, `forbidden`, `wrong_credentials`, `rate_limited`.
 */
export async function changePassword(
  { orm, clock, accountThrottle }: AccountServices,
  caller: Caller,
  { currentPassword, newPassword, keptSecret }: PasswordChange,
): Promise<void> {
  const { userId } = requirePerson(caller, 'owner');
  const succeeded = await accountThrottle.tryPassword(userId, caller.origin.ip);
  const em = orm.em.fork() as EntityManager;
  const { passwordHash } = await em.findOneOrFail(UserEntity, { id: userId });
  const fact = { organizationId: null, action: 'person.change-password', targetId: userId };
  const now = clock.now();
  if (!(await verifyPassword(passwordHash, currentPassword))) {
    recordRefusal(em, caller, now, fact);
    await em.flush();
    throw new AppError('wrong_credentials');
  }
  await succeeded();
  const newHash = await hashPassword(newPassword);
  await em.transactional(async (tx) => {
    // Of two changes at once the second has proved a password that is none any more.
    const unchanged = { id: userId, passwordHash };
    const changed = await tx.nativeUpdate(UserEntity, unchanged, { passwordHash: newHash });
    if (changed === 0) throw new AppError('wrong_credentials');
    const kept = keptSecret && caller.kind === 'user' ? sha256Hex(keptSecret) : '';
    await tx.nativeDelete(SessionEntity, { userId, secretHash: { $ne: kept } });
    recordChange(tx, caller, now, fact);
    await tx.flush();
  });
}

function recordOwn(
  tx: EntityManager,
  userId: string,
  origin: Origin,
  now: Date,
  action: string,
): void {
  const identity = { kind: 'user', id: userId, userId, ceiling: 'owner' } as const;
  const caller: Caller = { ...identity, roles: new Map(), origin };
  recordChange(tx, caller, now, { organizationId: null, action, targetId: userId });
}
