import { readFileSync } from 'node:fs';
import test from 'ava';
import { AppError, type ErrorCode, errorCatalogue, toAppError } from '../../../src/lib/errors.ts';

const codes = Object.keys(errorCatalogue) as ErrorCode[];

test('every code has an error status, a title and a remedy of one sentence', (t) => {
  for (const code of codes) {
    const { status, title, remedy } = errorCatalogue[code];
    t.regex(code, /^[a-z]+(_[a-z]+)*$/);
    t.true(status >= 400 && status <= 599, code);
    t.true(title.length > 0, code);
    t.regex(remedy, /^[A-Z].*\.$/, code);
  }
});

test('docs/errors.md has a heading for every code, and for nothing else', (t) => {
  const text = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const headings = [...text.matchAll(/^## `?([\w-]+)`?$/gm)].map(([, code]) => code);
  t.deepEqual(headings.sort(), [...codes].sort());
});

test('an error takes status, title and remedy from the catalogue', (t) => {
  const error = new AppError('not_found');
  t.like(error, {
    code: 'not_found',
    status: 404,
    title: errorCatalogue.not_found.title,
    message: errorCatalogue.not_found.title,
    remedy: errorCatalogue.not_found.remedy,
    fields: [],
    headers: {},
  });
});

test('an AppError passes through as it is', (t) => {
  const error = new AppError('state_conflict', 'not now');
  t.is(toAppError(error), error);
});

test('whatever else is thrown becomes an internal error that says nothing about itself', (t) => {
  for (const thrown of [new Error('at /secret/path'), 'at /secret/path', undefined, { a: 1 }]) {
    const error = toAppError(thrown);
    t.is(error.code, 'internal_error');
    t.is(error.message, errorCatalogue.internal_error.title);
    t.true(error.cause instanceof Error);
  }
  t.is(toAppError('at /secret/path').detail, 'at /secret/path');
});
