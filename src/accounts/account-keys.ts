/** Account keys: how a caller of the control API is known. */

import { createAccountSecret, isAccountSecret } from '../keys/format.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/crypto.ts';
import { AppError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import type { Orm } from '../store/database.ts';
import { AccountKeyEntity } from '../store/entities/account-key.ts';
import { OrganizationEntity } from '../store/entities/organization.ts';

/** lastUsedAt is written at most this often a key: a busy caller costs no write a request. */
const lastUsedResolutionMs = 60_000;

interface AccountServices {
  readonly orm: Orm;
  readonly clock: Clock;
}

/** Who is calling, and for which organization. */
export interface Caller {
  readonly accountKeyId: string;
  readonly organizationId: string;
}

/**
 * Finds the caller of an `Authorization` header.
 * @throws {AppError} `authentication_required` without one, `invalid_authentication_token` for one that
 * is malformed or belongs to nobody.
 */
export async function authenticateCaller(
  { orm, clock }: AccountServices,
  authorization: string | undefined,
): Promise<Caller> {
  const challenge = { headers: { 'WWW-Authenticate': 'Bearer realm="swiftcache"' } };
  if (!authorization) throw new AppError('authentication_required', undefined, challenge);
  const secret = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (!secret || !isAccountSecret(secret)) {
    throw new AppError('invalid_authentication_token', undefined, challenge);
  }
  const em = orm.em.fork();
  const key = await em.findOne(AccountKeyEntity, { secretHash: sha256Hex(secret) });
  if (!key) throw new AppError('invalid_authentication_token', undefined, challenge);
  const now = clock.now();
  if (now.getTime() - (key.lastUsedAt?.getTime() ?? 0) > lastUsedResolutionMs) {
    key.lastUsedAt = now;
    await em.flush();
  }
  return { accountKeyId: key.id, organizationId: key.organizationId };
}

/** The first organization with its key; `secret` only when this call made it. */
export interface Bootstrap {
  readonly organizationId: string;
  readonly secret: string | undefined;
}

/**
 * Makes the first organization and its account key where there is none yet.
 * @param givenSecret the key to use (SWIFTCACHE_BOOTSTRAP_ACCOUNT_KEY); a random one where undefined.
 */
export async function bootstrapOrganization(
  services: AccountServices,
  givenSecret: string | undefined,
): Promise<Bootstrap> {
  const { orm, clock } = services;
  const em = orm.em.fork();
  const [first] = await em.find(OrganizationEntity, {}, { orderBy: { createdAt: 1 }, limit: 1 });
  if (first) return { organizationId: first.id, secret: undefined };
  const now = clock.now();
  // Both or neither: an organization whose key nobody was shown would be of no use.
  return await em.transactional(async (tx) => {
    const { id: organizationId } = tx.create(OrganizationEntity, {
      id: newId('org'),
      name: 'default',
      createdAt: now,
    });
    await tx.flush();
    const wanted = { organizationId, name: 'first account key', secret: givenSecret };
    const { secret } = await writeAccountKey(tx, wanted, now);
    return { organizationId, secret };
  });
}

/** What an account key is made from; a random secret where none is given. */
interface NewAccountKey {
  readonly organizationId: string;
  readonly name: string;
  readonly secret?: string | undefined;
}

/** Makes an account key for an organization; the secret is in the answer and nowhere else. */
export async function issueAccountKey(
  { orm, clock }: AccountServices,
  wanted: NewAccountKey,
): Promise<{ id: string; secret: string }> {
  return await writeAccountKey(orm.em.fork(), wanted, clock.now());
}

async function writeAccountKey(
  em: Orm['em'],
  wanted: NewAccountKey,
  now: Date,
): Promise<{ id: string; secret: string }> {
  const { secret, hash } = wanted.secret
    ? { secret: wanted.secret, hash: sha256Hex(wanted.secret) }
    : createAccountSecret();
  const { id } = em.create(AccountKeyEntity, {
    id: newId('acct'),
    organizationId: wanted.organizationId,
    name: wanted.name,
    secretHash: hash,
    createdAt: now,
  });
  await em.flush();
  return { id, secret };
}

/** Removes an account key: it is refused from the next request on. */
export async function removeAccountKey(orm: Orm, id: string): Promise<void> {
  await orm.em.fork().nativeDelete(AccountKeyEntity, { id });
}
