/** Writes refused tries of known callers into the audit log. */
import type { Caller } from '../accounts/caller.ts';
import { recordRefusal } from '../audit/record.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { HttpServices, Route } from './route.ts';

/** What no id of ours looks like is not kept: it may be anything. */
const publicId = /^[a-z]{2,5}_[a-z2-7]{16}$/;
/** Passing refusals of how often is asked: the log would grow with them. */
const passingCodes: readonly string[] = ['rate_limited', 'idempotency_in_flight'];
/** Refusals by rule, not by form. */
const notedStatuses: readonly number[] = [402, 403, 404, 409, 429];

export interface RefusedTry {
  readonly caller: Caller;
  /** The parameters of the path, unchecked. */
  readonly params: Readonly<Record<string, string>>;
  readonly error: unknown;
}

/** Notes what was refused and why. Never throws: the caller's answer is the refusal itself. */
export async function noteRefusal(
  { action }: Route,
  { orm, clock, logger }: HttpServices,
  { caller, params, error }: RefusedTry,
): Promise<void> {
  if (!(error instanceof AppError) || !action || passingCodes.includes(error.code)) return;
  if (!notedStatuses.includes(error.status)) return;
  const [onlyOrganization, ...others] = caller.roles.keys();
  const organizationId =
    error.organizationId ?? (others.length === 0 ? onlyOrganization : undefined) ?? null;
  try {
    const em = orm.em.fork() as EntityManager;
    const details = { code: error.code, reason: error.message };
    const targetId = Object.values(params).findLast((text) => publicId.test(text)) ?? null;
    recordRefusal(em, caller, clock.now(), { organizationId, action, targetId, details });
    await em.flush();
  } catch (failure) {
    logger.error({ err: failure, action }, 'a refused try was not written to the audit log');
  }
}
