/** ETags of things that people change, made from what they may change. */
import { createHash } from 'node:crypto';
import { AppError } from './errors.ts';

/** A strong ETag (RFC 9110) of the given fields: the same fields, the same tag. */
export function etagOf(editable: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(editable);
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
}

/**
 * Sees to it that a change was made from the present state. To be called under the lock of the row.
 * @param ifMatch the If-Match header; undefined asks for nothing.
 * @throws {AppError} `changed_meanwhile`.
 */
export function requireMatch(ifMatch: string | undefined, etag: string): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  const given = ifMatch.split(',').map((tag) => tag.trim());
  if (!given.includes(etag)) throw new AppError('changed_meanwhile');
}
