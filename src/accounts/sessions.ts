/**
 * Sessions: what a person has after logging in, known by the secret of a cookie.
 *
 * Guarantees: a new secret at each log-in; only its SHA-256 is kept; a session ends 12 hours after its
 * last use, 7 days after its log-in, or when it is removed, whatever comes first.
 */

import type { Clock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/crypto.ts';
import { newId } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { SessionEntity } from '../store/entities/user.ts';
import { rolesOfUser } from './authenticate.ts';
import type { Caller, Origin } from './caller.ts';
import { createSecret, isSecret } from './secrets.ts';

interface SessionServices {
  readonly orm: Orm;
  readonly clock: Clock;
}

const hourMs = 3_600_000;
const idleMs = 12 * hourMs;
/** How long a session lasts at most; also what the browser is told. */
export const sessionLifetimeMs = 7 * 24 * hourMs;
/** Of one person; the oldest gives way. */
const sessionsMax = 50;
/** lastUsedAt is written at most this often: a busy page costs no write a request. */
const lastUsedResolutionMs = 60_000;

/** Adds a session to the transaction of a log-in and gives its secret. */
export async function writeSession(tx: EntityManager, userId: string, now: Date): Promise<string> {
  const { secret, hash: secretHash } = createSecret();
  const present = await tx.find(
    SessionEntity,
    { userId },
    { orderBy: { createdAt: -1, id: -1 }, offset: sessionsMax - 1, limit: sessionsMax },
  );
  await tx.nativeDelete(SessionEntity, { id: { $in: present.map(({ id }) => id) } });
  tx.create(SessionEntity, {
    id: newId('sess'),
    userId,
    secretHash,
    createdAt: now,
    lastUsedAt: now,
    expiresAt: new Date(now.getTime() + sessionLifetimeMs),
  });
  return secret;
}

/** Finds the person of a session's secret; undefined for a session that has ended or never was. */
export async function authenticateBySession(
  { orm, clock }: SessionServices,
  secret: string,
  origin: Origin,
): Promise<Caller | undefined> {
  if (!isSecret(secret)) return undefined;
  const em = orm.em.fork();
  const now = clock.now();
  const session = await em.findOne(SessionEntity, {
    secretHash: sha256Hex(secret),
    expiresAt: { $gt: now },
    lastUsedAt: { $gt: before(now, idleMs) },
  });
  if (!session) return undefined;
  const { id, userId, lastUsedAt } = session;
  if (now.getTime() - lastUsedAt.getTime() > lastUsedResolutionMs) {
    // Not through the entity: a log-out meanwhile must not come back as an error.
    await em.nativeUpdate(SessionEntity, { id }, { lastUsedAt: now });
  }
  const roles = await rolesOfUser(em, userId);
  return { kind: 'user', id: userId, userId, ceiling: 'owner', roles, origin };
}

/** Removes the sessions that have ended. To be called now and then; nothing depends on when. */
export async function removeExpiredSessions({ orm, clock }: SessionServices): Promise<void> {
  const now = clock.now();
  const ended = [{ expiresAt: { $lte: now } }, { lastUsedAt: { $lte: before(now, idleMs) } }];
  await orm.em.fork().nativeDelete(SessionEntity, { $or: ended });
}

function before(now: Date, ms: number): Date {
  return new Date(now.getTime() - ms);
}
