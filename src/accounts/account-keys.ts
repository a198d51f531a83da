/**
 * The first organization with its account key, and keys that the operator makes on the machine itself;
 * manage-account-keys.ts has what callers do with keys, authenticate.ts knows callers by them.
 *
 * Guarantee: what is made or removed here is in the audit log like what callers do, as the service's own.
 */
import { recordChange } from '../audit/record.ts';
import { createAccountSecret } from '../keys/format.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/crypto.ts';
import { newId } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { AccountKeyEntity } from '../store/entities/account-key.ts';
import { OrganizationEntity } from '../store/entities/organization.ts';
import { systemCaller } from './caller.ts';
import { deleteAccountKey } from './manage-account-keys.ts';

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
 * Makes the first organization and its account key where there is none, or none that was not deleted.
 * @param givenSecret the key to use (SWIFTCACHE_BOOTSTRAP_ACCOUNT_KEY); a random one where undefined.
 */
export async function bootstrapOrganization(
  services: AccountServices,
  givenSecret: string | undefined,
): Promise<Bootstrap> {
  const { orm, clock } = services;
  const em = orm.em.fork() as EntityManager;
  const oldest = { orderBy: { createdAt: 1, id: 1 }, limit: 1 } as const;
  const [first] = await em.find(OrganizationEntity, { deletedAt: null }, oldest);
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
    const fact = { organizationId, action: 'organization.create', targetId: organizationId };
    recordChange(tx, systemCaller(organizationId), now, fact);
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
  const em = orm.em.fork() as EntityManager;
  return await em.transactional((tx) => writeAccountKey(tx, wanted, clock.now()));
}

async function writeAccountKey(
  tx: EntityManager,
  wanted: NewAccountKey,
  now: Date,
): Promise<{ id: string; secret: string }> {
  const { secret, hash } = wanted.secret
    ? { secret: wanted.secret, hash: sha256Hex(wanted.secret) }
    : createAccountSecret();
  const { organizationId, name } = wanted;
  const role = 'owner';
  const { id } = tx.create(AccountKeyEntity, {
    id: newId('acct'),
    organizationId,
    name,
    role,
    secretHash: hash,
    createdAt: now,
  });
  const fact = { organizationId, action: 'account-key.create', targetId: id };
  recordChange(tx, systemCaller(organizationId), now, { ...fact, details: { name, role } });
  await tx.flush();
  return { id, secret };
}

/** Removes an organization's account key: it is refused from the next request on. */
export async function removeAccountKey(
  { orm, clock }: AccountServices,
  { id, organizationId }: { readonly id: string; readonly organizationId: string },
): Promise<void> {
  await deleteAccountKey({ orm, clock }, systemCaller(organizationId), id);
}
