/** Reads and checks what a request brings: path, query and body, against the route's schemas. */
import rawBody from 'raw-body';
import type { z } from 'zod';
import { AppError, type FieldProblem } from '../lib/errors.ts';
import type { HttpContext, Route } from './route.ts';

const bodyBytesMax = 64 * 1024;

interface CheckedInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * Checks a request against its route.
 * @throws {AppError} `invalid_request` naming every field in question, `invalid_json`,
 * `body_too_large`, `unsupported_media_type`.
 */
export async function readInput(context: HttpContext, route: Route): Promise<CheckedInput> {
  if (route.upload && !context.request.is(route.upload.contentType)) refuseMediaType(context);
  return {
    params: route.params && check(route.params, context.params, ''),
    query: route.query && check(route.query, { ...context.query }, ''),
    body: route.body && check(route.body, await readBody(context, route), '/'),
  };
}

function check(schema: z.ZodType, value: unknown, prefix: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.flatMap((issue) => describeIssue(issue, prefix));
  const names = [...new Set(fields.map(({ pointer }) => pointer || 'body'))].join(', ');
  throw new AppError('invalid_request', `Not valid: ${names}.`, { fields });
}

/** An unknown key is reported under its own name, not under the object that holds it. */
function describeIssue(issue: z.core.$ZodIssue, prefix: string): FieldProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      return { pointer: pointer(prefix, [...path, key]), detail: 'is not a known field' };
    });
  }
  return [{ pointer: pointer(prefix, path), detail: issue.message }];
}

/** A JSON Pointer (RFC 6901) into the body; a bare name for a query or path parameter. */
function pointer(prefix: string, path: readonly string[]): string {
  if (prefix === '') return path.join('.');
  return path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

async function readBody(context: HttpContext, { isBodyOptional }: Route): Promise<unknown> {
  // `is` gives null where no body is announced; many clients announce an empty one.
  const isEmpty = context.request.is() === null || context.get('Content-Length') === '0';
  if (isBodyOptional && isEmpty) return {};
  return await readJson(context);
}

async function readJson(context: HttpContext): Promise<unknown> {
  if (!context.request.is('application/json', '+json')) refuseMediaType(context);
  const text = await readText(context);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AppError('invalid_json');
  }
}

function refuseMediaType(context: HttpContext): never {
  const given = context.get('Content-Type') || 'none';
  throw new AppError('unsupported_media_type', `The content type is ${given.slice(0, 80)}.`);
}

async function readText(context: HttpContext): Promise<string> {
  try {
    return await rawBody(context.req, {
      length: context.get('Content-Length') || null,
      limit: bodyBytesMax,
      encoding: 'utf8',
    });
  } catch (error) {
    const { type } = error as { type?: string };
    if (type === 'entity.too.large') {
      // What is left of the body is not read: the connection ends with this answer.
      context.set('Connection', 'close');
      throw new AppError('body_too_large', `The limit is ${bodyBytesMax} bytes.`);
    }
    throw new AppError('invalid_json', 'The body could not be read to its end.', { cause: error });
  }
}
