/** Sign-up: a new person, in an organization of their own or in the one that invited them. */
import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { recordChange } from '../audit/record.ts';
import { AppError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import type { EntityManager } from '../store/database.ts';
import { type User, UserEntity } from '../store/entities/user.ts';
import type { Caller, Origin } from './caller.ts';
import { takeInvitation } from './invitations.ts';
import { type OwnOrganization, writeOrganization } from './organizations.ts';
import { hashPassword } from './passwords.ts';
import type { AccountServices } from './services.ts';
import { writeSession } from './sessions.ts';

/** A checked request for an account. */
export interface NewPerson {
  /** In lower case. */
  readonly email: string;
  readonly password: string;
  readonly name: string;
  /** Of the organization that is made; the person's own where undefined. */
  readonly organizationName: string | undefined;
  /** The secret of an invitation: joins its organization, and none is made. */
  readonly invitation: string | undefined;
}

export interface SignedUp {
  readonly user: User;
  readonly own: OwnOrganization;
  readonly sessionSecret: string;
}

/**
 * Makes a person, with an organization on the default plan or by an invitation, and logs them in.
 * @throws {AppError} `sign_up_closed`, `email_taken`, `invitation_invalid`, `quota_exceeded`,
 * `rate_limited`.
 */
export async function signUp(
  services: AccountServices,
  origin: Origin,
  person: NewPerson,
): Promise<SignedUp> {
  const { orm, config, accountThrottle } = services;
  const isOpen = config.signUp === 'open';
  if (!isOpen && (config.signUp === 'closed' || !person.invitation)) {
    throw new AppError('sign_up_closed');
  }
  await accountThrottle.trySignUp(origin.ip);
  const passwordHash = await hashPassword(person.password);
  const em = orm.em.fork() as EntityManager;
  try {
    return await em.transactional(async (tx) => {
      return await writePerson(tx, services, origin, { ...person, passwordHash });
    });
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error;
    throw new AppError('email_taken');
  }
}

async function writePerson(
  tx: EntityManager,
  { clock }: AccountServices,
  origin: Origin,
  { email, name, organizationName, invitation, passwordHash }: NewPerson & { passwordHash: string },
): Promise<SignedUp> {
  const now = clock.now();
  const userId = newId('user');
  const user = tx.create(UserEntity, { id: userId, email, name, passwordHash, createdAt: now });
  await tx.flush();
  const identity = { kind: 'user', id: userId, userId, ceiling: 'owner' } as const;
  const caller: Caller = { ...identity, roles: new Map(), origin };
  const own = invitation
    ? await takeInvitation(tx, caller, invitation, { userId, email, now })
    : await writeOrganization(tx, caller, { name: organizationName ?? name, ownerId: userId, now });
  const { id: organizationId } = own.organization;
  recordChange(tx, caller, now, { organizationId, action: 'person.sign-up', targetId: userId });
  const sessionSecret = await writeSession(tx, userId, now);
  await tx.flush();
  return { user, own, sessionSecret };
}
