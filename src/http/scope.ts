/** What a caller's own things are kept under: repeated requests, limits, open streams. */
import type { Caller } from '../accounts/caller.ts';

/** One name a caller, e.g. `account-key/acct_…`. */
export function scopeOf({ kind, id }: Caller): string {
  return `${kind}/${id}`;
}

/** One name a person, whichever of their keys and sessions they call with; else one a caller. */
export function personScopeOf(caller: Caller): string {
  return caller.userId ? `user/${caller.userId}` : scopeOf(caller);
}
