/** Times at which things end by themselves: null means never. */
import { AppError } from './errors.ts';

/** @throws {AppError} `invalid_request` naming /expiresAt for a time that has passed. */
export function requireFuture(expiresAt: Date | null | undefined, now: Date): void {
  if (!expiresAt || expiresAt > now) return;
  const fields = [{ pointer: '/expiresAt', detail: 'must be in the future' }];
  throw new AppError('invalid_request', 'Not valid: /expiresAt.', { fields });
}

/** A checked RFC 3339 time as a date. */
export function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
