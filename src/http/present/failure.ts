/** Rows as the API shows them: what no file of this folder lists never leaves the service. */
import type { z } from 'zod';
import { type ErrorCode, errorCatalogue } from '../../lib/errors.ts';

/** What the API gives for a schema. */
export type Shown<Schema extends z.ZodType> = z.input<Schema>;

/** A recorded failure with its remedy; null where there is none. */
export function presentFailure(
  code: string | null | undefined,
  message: string | null | undefined,
): { code: string; message: string; remedy: string } | null {
  if (!code) return null;
  const entry = errorCatalogue[code as ErrorCode];
  return { code, message: message ?? entry.title, remedy: entry.remedy };
}
