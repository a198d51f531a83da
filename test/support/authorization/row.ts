/** The authorization table's rows: one a route, with what each kind of caller gets. */
import type { Things } from './things.ts';

/** Statuses by caller. Role names are account keys of the organization with that role. */
export interface Statuses {
  /** Without a key, and with one that is malformed, unknown or expired. */
  readonly nobody: number;
  /** The owner of another organization. */
  readonly stranger: number;
  /** Also: a read-only account key. */
  readonly viewer: number;
  readonly developer: number;
  readonly admin: number;
  readonly owner: number;
  /** A person with the role owner, by the cookie of a session. */
  readonly person: number;
}

export interface Row {
  path(things: Things): string;
  body?(things: Things): object;
  /** What it sends beside its caller's own. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly statuses: Statuses;
}

type Role = 'viewer' | 'developer' | 'admin' | 'owner';

/** The usual row: members from a role on get `status`, lesser ones 403, strangers 404, nobody 401. */
export function statusesFrom(role: Role, status: number): Statuses {
  const order: Role[] = ['viewer', 'developer', 'admin', 'owner'];
  const of = (own: Role): number => (order.indexOf(own) >= order.indexOf(role) ? status : 403);
  return {
    nobody: 401,
    stranger: 404,
    viewer: of('viewer'),
    developer: of('developer'),
    admin: of('admin'),
    owner: of('owner'),
    person: of('owner'),
  };
}

/** Anybody gets the same. */
export function statusesForAll(status: number): Statuses {
  const all = { nobody: status, stranger: status, viewer: status, developer: status };
  return { ...all, admin: status, owner: status, person: status };
}
