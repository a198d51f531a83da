/** Who is calling, and what they may do: what every use case is given instead of a request. */
import { AppError } from '../lib/errors.ts';
import type { ActorKind } from '../store/entities/audit-entry.ts';
import { covers, type Role } from './roles.ts';

/** Where a call came from, for the audit log. */
export interface Origin {
  readonly ip: string | null;
  readonly requestId: string | null;
}

export interface Caller {
  readonly kind: ActorKind;
  /** The id of the account key or the person; null for the service itself and for nobody. */
  readonly id: string | null;
  /** The person behind it, where there is one: a session's, or a personal key's. */
  readonly userId: string | null;
  /** The most it may do anywhere, what concerns no organization included: a key's own role. */
  readonly ceiling: Role;
  /** The caller's role in each organization it may act for. */
  readonly roles: ReadonlyMap<string, Role>;
  readonly origin: Origin;
}

const nowhere: Origin = { ip: null, requestId: null };

/** The service itself acting on an organization's things, e.g. when an instance expires. */
export function systemCaller(organizationId: string): Caller {
  const roles = new Map<string, Role>([[organizationId, 'owner']]);
  return { kind: 'system', id: null, userId: null, ceiling: 'owner', roles, origin: nowhere };
}

/** Whoever has the machine and worked past the API, e.g. with `pulumi up`. */
export function operatorCaller(organizationId: string): Caller {
  return { ...systemCaller(organizationId), kind: 'operator' };
}

/** Somebody who has not said who they are. */
export function anonymousCaller(origin: Origin): Caller {
  const nothing = { ceiling: 'viewer', roles: new Map() } as const;
  return { kind: 'anonymous', id: null, userId: null, ...nothing, origin };
}

/**
 * Sees to it that the caller has a role, or a higher one, in an organization.
 * @throws {AppError} `not_found` for one it has no part in, as if it were not there; `forbidden`.
 */
export function requireRole(caller: Caller, organizationId: string, needed: Role): void {
  const role = caller.roles.get(organizationId);
  if (!role) throw new AppError('not_found', 'There is no such organization.');
  if (covers(role, needed)) return;
  const message = `This needs the role ${needed}; the caller has the role ${role}.`;
  throw new AppError('forbidden', message, { organizationId });
}

/** The person behind a caller, for what concerns no organization. */
export interface Person {
  readonly userId: string;
}

/**
 * Sees to it that a person is behind the caller, and that what it calls with may do as much as is needed:
 * a person's read-only key changes nothing of theirs.
 * @throws {AppError} `person_needed`, `forbidden`.
 */
export function requirePerson(caller: Caller, needed: Role = 'viewer'): Person {
  if (!caller.userId) throw new AppError('person_needed');
  if (!covers(caller.ceiling, needed)) {
    throw new AppError('forbidden', `This needs a key with the role ${needed}.`);
  }
  return { userId: caller.userId };
}

/**
 * Sees to it that nobody gives a role that they do not have.
 * @throws {AppError} `not_found`, `forbidden`.
 */
export function requireGivable(caller: Caller, organizationId: string, given: Role): void {
  requireRole(caller, organizationId, 'admin');
  const own = caller.roles.get(organizationId);
  if (own && covers(own, given)) return;
  const message = `The caller has the role ${own} and cannot give or take the role ${given}.`;
  throw new AppError('forbidden', message, { organizationId });
}
