/**
 * Roles: what a member of an organization may do. Each role may do what those below it may.
 *
 *   viewer     reads everything but the audit log and the account keys
 *   developer  also creates, changes and deletes instances and data keys
 *   admin      also manages members, invitations and account keys, and reads the audit log
 *   owner      also makes owners, and deletes the organization
 */
import type { Role } from '../store/entities/membership.ts';

export type { Role };

/** From the least to the most. */
export const roles = ['viewer', 'developer', 'admin', 'owner'] as const satisfies readonly Role[];

/** Whether a role may do what needs another. */
export function covers(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** The lesser of two roles. */
export function lesserRole(one: Role, other: Role): Role {
  return covers(one, other) ? other : one;
}
