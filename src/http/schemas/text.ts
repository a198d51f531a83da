/**
 * Texts, checked by the very rules that the OpenAPI document states: lengths in characters, as JSON Schema
 * counts them (JavaScript counts half characters), and patterns that every language's expressions read.
 */
import { z } from 'zod';

/** Control characters (Unicode Cc). */
const controls = '\\u0000-\\u001f\\u007f-\\u009f';
/** What is not seen or breaks a line: Cc, Cf and the two separators; a test compares it with Unicode. */
export const unseen =
  `${controls}\\u00ad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890-\\u0891\\u08e2\\u180e\\u200b-\\u200f` +
  '\\u2028-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb\u{110bd}\u{110cd}' +
  '\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}';
/** The blanks that trim() takes away and that are not unseen. */
const blanks = ' \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000';

/** One character of a text without control characters, as a part of a pattern. */
export const printable = `[^${controls}]`;
const visible = new RegExp(`^[^${unseen}]*$`, 'u');
const namePattern = `^[^${unseen}${blanks}]([^${unseen}]*[^${unseen}${blanks}])?$`;

/** A text of so many characters at most; half characters are refused. */
export function textOf(charactersMax: number) {
  return z
    .string()
    .refine(
      (text) => [...text].length <= charactersMax,
      `must have at most ${charactersMax} characters`,
    )
    .refine((text) => text.isWellFormed(), 'must not contain half a character')
    .meta({ maxLength: charactersMax });
}

/** A name that people give: nothing unseen in it, no blanks around it. */
export function nameOf(charactersMax: number) {
  return textOf(charactersMax)
    .min(1, 'must not be empty')
    .refine((name) => visible.test(name), 'must not contain control characters')
    .refine((name) => name.trim() === name, 'must not begin or end with a blank')
    .meta({ minLength: 1, maxLength: charactersMax, pattern: namePattern });
}
