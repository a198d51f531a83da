/** Shapes that every resource of the control API uses. */
import { z } from 'zod';
import { nameOf, textOf } from './text.ts';

export const timestamp = z.iso.datetime().meta({ example: '2024-01-15T10:30:00.000Z' });

/** A name that people give: no control or line-breaking characters, no blanks around it. */
export const nameSchema = nameOf(64).meta({ example: 'my-cache' });

export const organizationId = textOf(64).meta({
  example: 'org_abc123',
  description: 'The organization in question.',
});

export const failureSchema = z
  .object({ code: z.string(), message: z.string(), remedy: z.string() })
  .meta({
    id: 'Failure',
    description: 'Why something failed, and what can be done about it.',
    example: {
      code: 'docker_unreachable',
      message: 'Docker cannot be reached',
      remedy: 'Start the Docker daemon of the region, then POST …/retry.',
    },
  });

/** RFC 9457, with `code`, `requestId`, `remedy` and the fields in question. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    error: z.string().meta({ description: 'The title once more.' }),
    code: z.string(),
    remedy: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
    limit: z
      .object({
        name: z.string(),
        limit: z.number(),
        used: z.number(),
        requested: z.number(),
      })
      .optional(),
  })
  .meta({ id: 'Problem' });

const pageRowsMax = 200;

/** What every list takes beside its filters. */
export const pageQueryFields = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(pageRowsMax)
    .default(100)
    .meta({ description: 'How many at most.', example: 100 }),
  cursor: textOf(128)
    .optional()
    .meta({ description: 'Where to go on: the nextCursor of the page before.' }),
};

/** Where the next page of a list begins. */
export const nextCursor = z.string().nullable().meta({
  description: 'Give it as `cursor` for the next page; null after the last.',
  example: null,
});

const listedMax = 32;

/** Several values of one query parameter: repeated, or in one separated by commas. */
export function listOf<Item extends z.ZodType>(item: Item) {
  const split = (value: unknown): unknown => {
    const given = Array.isArray(value) ? value : [value];
    return given.flatMap((part) => (typeof part === 'string' ? part.split(',') : [part]));
  };
  return z.preprocess(split, z.array(item).max(listedMax));
}

/** A query parameter that may be repeated. */
export function repeated<Item extends z.ZodType>(item: Item) {
  const list = (value: unknown): unknown => (Array.isArray(value) ? value : [value]);
  return z.preprocess(list, z.array(item).max(listedMax));
}

const latestTimeMs = Date.UTC(10_000, 0);

/** When something ends by itself; null means never. Say in `.meta` what ends. */
export const endTime = z.iso
  .datetime({ offset: true })
  .refine((text) => Date.parse(text) < latestTimeMs, 'must be before the year 10000')
  .nullable();
