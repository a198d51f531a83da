/** People, sessions, invitations and account keys for tests, as rows. */
import { createSecret } from '../../src/accounts/secrets.ts';
import { createAccountSecret } from '../../src/keys/format.ts';
import { newId } from '../../src/lib/ids.ts';
import type { Orm } from '../../src/store/database.ts';
import { type AccountKey, AccountKeyEntity } from '../../src/store/entities/account-key.ts';
import {
  type Invitation,
  InvitationEntity,
  MembershipEntity,
  type Role,
} from '../../src/store/entities/membership.ts';
import { SessionEntity, UserEntity } from '../../src/store/entities/user.ts';
import type { Answer, Api } from './api.ts';
import { someDate } from './rows.ts';

const dayMs = 24 * 3_600_000;

/** The password of everybody whom addPerson makes, and its hash, made once: hashing takes its time. */
export const password = 'correct horse battery';
const passwordHash =
  '$argon2id$v=19$m=19456,t=2,p=1$tCG0/oGyjLZhYVh8pxrGwA$yRdLFl3rCNtRC/Q7TuuZ/BpG4WOaX+mTffAhWu/e+nI';

export interface PersonRow {
  readonly userId: string;
  readonly email: string;
}

/** A person, with a role in each of the given organizations. */
export async function addPerson(
  orm: Orm,
  roles: Readonly<Record<string, Role>> = {},
  hash = passwordHash,
): Promise<PersonRow> {
  const em = orm.em.fork();
  const userId = newId('user');
  const email = `${userId}@example.com`;
  const user = { id: userId, email, name: 'a person', passwordHash: hash };
  em.create(UserEntity, { ...user, createdAt: someDate });
  await em.flush();
  for (const [organizationId, role] of Object.entries(roles)) {
    em.create(MembershipEntity, { organizationId, userId, role, createdAt: someDate });
  }
  await em.flush();
  return { userId, email };
}

/** A session of a person, begun at the given time; gives its secret. */
export async function addSession(orm: Orm, userId: string, now: Date = someDate): Promise<string> {
  const em = orm.em.fork();
  const { secret, hash: secretHash } = createSecret();
  const expiresAt = new Date(now.getTime() + 7 * dayMs);
  const times = { createdAt: now, lastUsedAt: now, expiresAt };
  em.create(SessionEntity, { id: newId('sess'), userId, secretHash, ...times });
  await em.flush();
  return secret;
}

/** What a browser sends for a session from one of the service's own pages. */
export function sessionHeaders(secret: string): Record<string, string> {
  return { Cookie: `__Host-swiftcache-session=${secret}`, 'Sec-Fetch-Site': 'same-origin' };
}

/** An invitation that is open for a day; gives its secret. */
export async function addInvitation(
  orm: Orm,
  organizationId: string,
  changes: Partial<Invitation> = {},
): Promise<{ id: string; secret: string }> {
  const em = orm.em.fork();
  const { secret, hash: secretHash } = createSecret();
  const { id } = em.create(InvitationEntity, {
    id: newId('inv'),
    organizationId,
    role: 'developer',
    secretHash,
    createdAt: someDate,
    expiresAt: new Date(someDate.getTime() + dayMs),
    ...changes,
  });
  await em.flush();
  return { id, secret };
}

/** An account key; gives its secret. */
export async function addAccountKey(
  orm: Orm,
  changes: Partial<AccountKey>,
): Promise<{ id: string; secret: string }> {
  const em = orm.em.fork();
  const { secret, hash: secretHash } = createAccountSecret();
  const { id } = em.create(AccountKeyEntity, {
    id: newId('acct'),
    name: 'a key',
    role: 'viewer',
    secretHash,
    createdAt: someDate,
    ...changes,
  });
  await em.flush();
  return { id, secret };
}

export interface PersonCaller {
  readonly userId: string;
  readonly email: string;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
}

/** Somebody with a role in an organization, the owner's unless told otherwise, calling as a browser does. */
export async function logInAs(api: Api, role?: Role, organization?: string): Promise<PersonCaller> {
  const organizationId = organization ?? api.owner.organizationId;
  const { userId, email } = await addPerson(api.orm, role ? { [organizationId]: role } : {});
  const headers = sessionHeaders(await addSession(api.orm, userId, api.clock.now()));
  return { userId, email, call: (method, path, body) => api.call(method, path, { headers, body }) };
}
