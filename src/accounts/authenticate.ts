/**
 * How a caller of the control API is known: by an account key, or by the session of somebody logged in.
 *
 * Guarantees: secrets are looked up by their SHA-256, so nothing secret is compared; a removed or expired
 * key or session is refused from the next request on; a key never has a higher role than it was given,
 * and a personal key never a higher one than its person.
 */
import { isAccountSecret } from '../keys/format.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/crypto.ts';
import { AppError } from '../lib/errors.ts';
import type { Orm } from '../store/database.ts';
import { type AccountKey, AccountKeyEntity } from '../store/entities/account-key.ts';
import { MembershipEntity } from '../store/entities/membership.ts';
import type { Caller, Origin } from './caller.ts';
import { lesserRole, type Role } from './roles.ts';

/** lastUsedAt is written at most this often a key: a busy caller costs no write a request. */
const lastUsedResolutionMs = 60_000;

interface AccountServices {
  readonly orm: Orm;
  readonly clock: Clock;
}

const challenge = { headers: { 'WWW-Authenticate': 'Bearer realm="swiftcache"' } };

/**
 * Finds the caller of an `Authorization` header.
 * @throws {AppError} `authentication_required` without one, `invalid_authentication_token` for one that
 * is malformed, expired or belongs to nobody.
 */
export async function authenticateByKey(
  { orm, clock }: AccountServices,
  authorization: string | undefined,
  origin: Origin,
): Promise<Caller> {
  if (!authorization) throw new AppError('authentication_required', undefined, challenge);
  const secret = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (!secret || !isAccountSecret(secret)) {
    throw new AppError('invalid_authentication_token', undefined, challenge);
  }
  const em = orm.em.fork();
  const key = await em.findOne(AccountKeyEntity, { secretHash: sha256Hex(secret) });
  const now = clock.now();
  if (!key || (key.expiresAt && key.expiresAt <= now)) {
    throw new AppError('invalid_authentication_token', undefined, challenge);
  }
  if (now.getTime() - (key.lastUsedAt?.getTime() ?? 0) > lastUsedResolutionMs) {
    key.lastUsedAt = now;
    await em.flush();
  }
  const roles = await rolesOfKey(em, key);
  const userId = key.organizationId === null ? key.userId : null;
  return {
    kind: 'account-key',
    id: key.id,
    userId: userId ?? null,
    ceiling: key.role,
    roles,
    origin,
  };
}

async function rolesOfKey(
  em: Orm['em'],
  { organizationId, userId, role }: AccountKey,
): Promise<Map<string, Role>> {
  if (organizationId) return new Map([[organizationId, role]]);
  const roles = userId ? await rolesOfUser(em, userId) : new Map<string, Role>();
  return new Map([...roles].map(([id, own]) => [id, lesserRole(own, role)]));
}

/** A person's role in each of their organizations. */
export async function rolesOfUser(em: Orm['em'], userId: string): Promise<Map<string, Role>> {
  const memberships = await em.find(MembershipEntity, { userId });
  return new Map(memberships.map(({ organizationId, role }) => [organizationId, role]));
}
