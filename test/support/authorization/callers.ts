/** Callers of every kind, in the organization of the API's owner. */
import type { Api } from '../api.ts';
import { addAccountKey, addPerson, addSession } from '../people.ts';

type Role = 'viewer' | 'developer' | 'admin' | 'owner';
type Cookie = { readonly Cookie: string };

/** An account key with a role, as its secret; or the session cookie of a person with that role. */
export async function addMember(api: Api, role: Role, kind?: 'expired'): Promise<string>;
export async function addMember(api: Api, role: Role, kind: 'session'): Promise<Cookie>;
export async function addMember(
  { orm, clock, owner }: Api,
  role: Role,
  kind?: 'expired' | 'session',
): Promise<string | Cookie> {
  const { organizationId } = owner;
  const now = clock.now();
  if (kind === 'session') {
    const { userId } = await addPerson(orm, { [organizationId]: role });
    return { Cookie: `__Host-swiftcache-session=${await addSession(orm, userId, now)}` };
  }
  const expiresAt = kind === 'expired' ? new Date(now.getTime() - 1) : null;
  const { secret } = await addAccountKey(orm, { organizationId, role, expiresAt });
  return secret;
}
