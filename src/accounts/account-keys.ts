/**
 * The first organization with its account key, and keys that the operator makes on the machine itself;
 * manage-account-keys.ts has what callers do with keys, authenticate.ts knows callers by them.
 */

import { createAccountSecret } from '../keys/format.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/crypto.ts';
import { newId } from '../lib/ids.ts';
import type { Orm } from '../store/database.ts';
import { AccountKeyEntity } from '../store/entities/account-key.ts';
import { OrganizationEntity } from '../store/entities/organization.ts';

/** The plan of the organization that comes with the service. */
const operatorsPlan = 'dedicated';

interface AccountServices {
  readonly orm: Orm;
  readonly clock: Clock;
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
      plan: operatorsPlan,
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
    role: 'owner',
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
