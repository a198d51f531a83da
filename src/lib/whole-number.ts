/** A setting that is a whole number. */
import { z } from 'zod';

/** A whole number written in digits, both ends included: an empty text is none, where Number('') would be 0. */
export function wholeNumber(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'needs a whole number')
    .transform(Number)
    .pipe(z.number().min(least).max(most));
}
