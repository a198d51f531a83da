/**
 * Drift: what an instance's Redis had differently from the database though nobody had changed a key.
 *
 * A difference is drift where it was mended and where Redis was not as this process had left it. Where this
 * process has not left it, every difference is drift unless a change of keys is pending: then nobody can
 * tell which is which.
 */
import { systemCaller } from '../accounts/caller.ts';
import { recordChange } from '../audit/record.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/crypto.ts';
import { idPattern } from '../lib/ids.ts';
import type { Logger } from '../lib/logger.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';

/** The names of the users in question, by how they differed. */
export interface AccessDrift {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly changed: readonly string[];
}

/** Users and their rules, as ACL LIST tells them. */
export type Users = ReadonlyMap<string, string>;

/** How a process left an instance's users: a print of each one's rules, and the revision they were of. */
export interface LeftUsers {
  readonly revision: number;
  readonly prints: ReadonlyMap<string, string>;
}

export const noDrift: AccessDrift = { missing: [], extra: [], changed: [] };

const keyIdPattern = idPattern('key');

export function isEmpty({ missing, extra, changed }: AccessDrift): boolean {
  return missing.length + extra.length + changed.length === 0;
}

/** What is different in `after`. */
export function compareUsers(before: Users, after: Users): AccessDrift {
  return {
    missing: [...after.keys()].filter((name) => !before.has(name)),
    extra: [...before.keys()].filter((name) => !after.has(name)),
    changed: [...after].flatMap(([name, rules]) => {
      return before.has(name) && before.get(name) !== rules ? [name] : [];
    }),
  };
}

/** Notes how users were left; each start of Redis has an order of its own for the rules of a user. */
export function printUsers(users: Users, revision: number): LeftUsers {
  return { revision, prints: new Map([...users].map(([name, rules]) => [name, print(rules)])) };
}

/** Whether users are exactly as they were left. */
export function isAsPrinted(users: Users, { prints }: LeftUsers): boolean {
  if (users.size !== prints.size) return false;
  return [...users].every(([name, rules]) => prints.get(name) === print(rules));
}

/** The part of `differences` for which Redis was not as it had been left. */
export function withoutExplained(
  differences: AccessDrift,
  before: Users,
  left: LeftUsers,
): AccessDrift {
  return filterDrift(differences, (name) => {
    const rules = before.get(name);
    return (rules === undefined ? undefined : print(rules)) !== left.prints.get(name);
  });
}

/** The part of `drift` that is about other users than these. */
export function withoutUsers(drift: AccessDrift, names: ReadonlySet<string>): AccessDrift {
  return filterDrift(drift, (name) => !names.has(name));
}

/** Writes what was mended to the log and to the organization's audit log. */
export async function noteDrift(
  { orm, clock, logger }: { orm: Orm; clock: Clock; logger: Logger },
  { id, organizationId }: Pick<Instance, 'id' | 'organizationId'>,
  drift: AccessDrift,
): Promise<void> {
  if (isEmpty(drift)) return;
  const keys = filterDrift(drift, (name) => keyIdPattern.test(name));
  // A name that is no key's may be anything, a secret typed in the wrong place too.
  const details = { ...keys, otherUsers: countUsers(drift) - countUsers(keys) };
  logger.warn({ instanceId: id, ...details }, 'access was mended');
  const em = orm.em.fork() as EntityManager;
  const fact = { organizationId, action: 'access.mend', targetId: id, details };
  recordChange(em, systemCaller(organizationId), clock.now(), fact);
  await em.flush();
}

function print(rules: string): string {
  return sha256Hex(rules.split(' ').sort().join(' ')).slice(0, 32);
}

function filterDrift(
  { missing, extra, changed }: AccessDrift,
  isKept: (name: string) => boolean,
): AccessDrift {
  return {
    missing: missing.filter(isKept),
    extra: extra.filter(isKept),
    changed: changed.filter(isKept),
  };
}

function countUsers({ missing, extra, changed }: AccessDrift): number {
  return missing.length + extra.length + changed.length;
}
