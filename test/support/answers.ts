import type { ExecutionContext } from 'ava';
import { routes } from '../../src/http/routes/index.ts';
import type { Answer } from './api.ts';

/** The answer has nothing that its route's schema, hence the documentation, does not have. */
export function documented(t: ExecutionContext, name: string, { status, body }: Answer): void {
  const route = routes.find(({ method, path }) => `${method} ${path}` === name);
  t.deepEqual(route?.answers[status]?.schema.parse(body), body);
}

/** An object has the named fields, blanks between them, and no other. */
export function hasFields(t: ExecutionContext, value: object, names: string): void {
  t.deepEqual(Object.keys(value).sort(), names.split(/\s+/).sort());
}
