import type { ExecutionContext } from 'ava';

/** What a value is to be: a type by its constructor, a pattern, the value itself, or such in an object or list. */
export type Shape =
  | typeof String
  | typeof Number
  | typeof Boolean
  | RegExp
  | string
  | number
  | boolean
  | null
  | readonly Shape[]
  | { readonly [name: string]: Shape };

/** A moment as RFC 3339 writes it. */
export const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** A value has every field of a shape, of the type there; it may have more. A list of one shape is any list of such. */
export function hasShape(t: ExecutionContext, value: unknown, shape: Shape, path = '$'): void {
  if (shape === String || shape === Number || shape === Boolean) {
    t.true(Object(value) instanceof shape, `${path} is a ${shape.name}`);
  } else if (shape instanceof RegExp) {
    t.regex(String(value), shape, path);
  } else if (Array.isArray(shape)) {
    t.true(Array.isArray(value), path);
    const list = value as unknown[];
    if (shape.length === 0) t.deepEqual(list, [], path);
    else t.true(list.length > 0, `${path} has something in it`);
    for (const [index, item] of list.entries()) {
      hasShape(t, item, shape[0] as Shape, `${path}[${index}]`);
    }
  } else if (typeof shape === 'object' && shape !== null) {
    t.true(typeof value === 'object' && value !== null, path);
    for (const [name, wanted] of Object.entries(shape)) {
      hasShape(t, (value as Record<string, unknown>)[name], wanted, `${path}.${name}`);
    }
  } else {
    t.is(value, shape as unknown, path);
  }
}
