/** Whole numbers in settings. */
import { z } from 'zod';

/** A schema of one written in digits, both ends included: an empty text is none, where Number('') would be 0. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'needs a whole number')
    .transform(Number)
    .pipe(z.number().min(least).max(most));
