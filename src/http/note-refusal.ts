/** Writes refused tries of known callers into the audit log. */
import type { Caller } from '../accounts/caller.ts';
import { recordRefusal } from '../audit/record.ts';
import { AppError, type ErrorCode } from '../lib/errors.ts';
import type { EntityManager } from '../store/database.ts';
import type { HttpServices, Route } from './route.ts';

/** What no id of ours looks like is not kept: it may be anything. */
const publicId = /^[a-z]{2,5}_[a-z2-7]{16}$/;
/** What was asked for and a rule refused; not what was badly written, passes by itself or is our fault. */
const notedCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'session_refused',
  'forbidden',
  'person_needed',
  'sign_up_closed',
  'email_taken',
  'invitation_invalid',
  'last_owner',
  'organization_not_empty',
  'quota_exceeded',
  'plan_limit',
  'too_many_keys',
  'too_many_operations',
  'region_full',
  'memory_in_use',
  'deletion_protected',
  'changed_meanwhile',
  'idempotency_key_reused',
  'not_found',
  'state_conflict',
  'no_free_port',
  'backup_unusable',
  'policy_violation',
]);

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
  if (!(error instanceof AppError) || !action || !notedCodes.has(error.code)) return;
  const [onlyOrganization, ...others] = caller.roles.keys();
  const named = params.organizationId ?? '';
  const organizationId =
    error.organizationId ??
    (caller.roles.has(named) ? named : undefined) ??
    (others.length === 0 ? onlyOrganization : undefined) ??
    null;
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
