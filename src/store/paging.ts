/**
 * Pages of rows in the order they were made, by an opaque cursor: what comes after a row that was seen.
 * So nothing is shown twice or left out when rows come and go between two pages.
 */
import type { FilterQuery } from '@mikro-orm/core';
import { AppError } from '../lib/errors.ts';

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<Row> {
  readonly rows: Row[];
  /** Where the next page begins; null after the last. */
  readonly nextCursor: string | null;
}

interface Ordered {
  readonly id: string;
  readonly createdAt: Date;
}

type Direction = 'oldest first' | 'newest first';

/**
 * What to add to a query for one page: one row more than asked for, so that `toPage` sees whether there
 * is a next one.
 * @throws {AppError} `invalid_request` for a cursor that this service did not make.
 */
export function pageQuery<Row extends Ordered>(
  { limit, cursor }: PageRequest,
  direction: Direction,
): {
  where: FilterQuery<Row>;
  options: { limit: number; orderBy: { createdAt: 1 | -1; id: 1 | -1 } };
} {
  const order = direction === 'oldest first' ? 1 : -1;
  const beyond = order === 1 ? '$gt' : '$lt';
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const where = after && {
    $or: [
      { createdAt: { [beyond]: after.createdAt } },
      { createdAt: after.createdAt, id: { [beyond]: after.id } },
    ],
  };
  return {
    where: (where ?? {}) as FilterQuery<Row>,
    options: { limit: limit + 1, orderBy: { createdAt: order, id: order } },
  };
}

/** The page of what such a query gave. */
export function toPage<Row extends Ordered>(found: Row[], { limit }: PageRequest): Page<Row> {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, nextCursor: found.length > limit && last ? writeCursor(last) : null };
}

function writeCursor({ createdAt, id }: Ordered): string {
  return Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url');
}

function readCursor(cursor: string): Ordered {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const [, time, id] = /^(\d{1,15})\.([a-z]+_[a-z2-7]+)$/.exec(text) ?? [];
  if (!time || !id) {
    const fields = [{ pointer: 'cursor', detail: 'is none that a list gave' }];
    throw new AppError('invalid_request', 'Not valid: cursor.', { fields });
  }
  return { createdAt: new Date(Number(time)), id };
}
