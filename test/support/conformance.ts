/**
 * Real answers compared with the OpenAPI document: every answer that a test of the API gets is checked,
 * so what the document promises is what the service does.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { createOpenApiDocument, documentPath } from '../../src/http/openapi.ts';
import type { Route } from '../../src/http/route.ts';
import { routes } from '../../src/http/routes/index.ts';
import { type ErrorCode, errorCatalogue } from '../../src/lib/errors.ts';
import type { Answer } from './api.ts';

interface DocumentedResponse {
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, { readonly examples?: object }>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** The document as it goes over the wire. */
export const openApi = JSON.parse(JSON.stringify(createOpenApiDocument(routes))) as OpenApi;

const documentId = 'https://swiftcache.invalid/openapi.json';
/** Headers that are only there where the document says so. */
const documentedHeaders = ['Location', 'ETag', 'Retry-After', 'Set-Cookie', 'Idempotent-Replayed'];
/** Any route may answer these; they say nothing of the route. */
const anywhere: readonly ErrorCode[] = ['internal_error', 'shutting_down'];

const ajv = createValidator();
const validators = new Map<string, ValidateFunction>();
const patterns = routes.map((route) => ({ route, pattern: patternOf(route.path) }));

/** A validator that knows the document: a schema in it is named by its JSON Pointer. */
function createValidator(): Ajv2020 {
  // OpenAPI's own words (example, discriminator and the like) are no part of JSON Schema.
  const validator = new Ajv2020({ strict: false, validateSchema: false, allErrors: true });
  ajvFormats.default(validator);
  validator.addSchema({ ...openApi, $id: documentId });
  return validator;
}

/** Compiles a schema of the document, once; `pointer` names its place. */
export function validatorAt(...pointer: readonly string[]): ValidateFunction {
  const path = pointer.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'));
  const $ref = `${documentId}#/${path.map(encodeURIComponent).join('/')}`;
  const known = validators.get($ref);
  if (known) return known;
  const compiled = ajv.compile({ $ref });
  validators.set($ref, compiled);
  return compiled;
}

/**
 * Compares an answer with the document.
 * @throws {Error} that says what does not fit. Paths of no route are not looked at.
 */
export function checkConformance(method: string, url: string, answer: Answer): void {
  const { pathname } = new URL(url);
  const route = findRoute(method, pathname);
  if (!route) return;
  const problem = findMismatch(route, answer);
  if (!problem) return;
  const name = `${route.method.toUpperCase()} ${route.path}`;
  throw new Error(`${name} answered ${answer.status}, against /openapi.json: ${problem}`);
}

function findRoute(method: string, pathname: string): Route | undefined {
  const candidates = patterns.filter(({ pattern }) => pattern.test(pathname));
  // HEAD is a GET without its body; there is nothing to compare.
  return candidates.find(({ route }) => route.method === method.toLowerCase())?.route;
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}/?$`);
}

function findMismatch(route: Route, answer: Answer): string | undefined {
  const path = documentPath(route.path);
  const responses = openApi.paths[path]?.[route.method]?.responses ?? {};
  const { status, headers, body } = answer;
  const code = (body as { code?: string } | undefined)?.code as ErrorCode | undefined;
  if (code && anywhere.includes(code)) return undefined;
  const documented = responses[status];
  if (!documented) return `the status is not documented (${code ?? 'no code'}); ${advice}`;
  for (const name of documentedHeaders) {
    if (headers.has(name) && !documented.headers?.[name]) return `${name} is not documented`;
  }
  const contentType = headers.get('Content-Type')?.split(';')[0];
  if (!contentType) return documented.content ? 'it has no content' : undefined;
  const media = documented.content?.[contentType];
  if (!media) return `the content type ${contentType} is not documented`;
  if (code && code in errorCatalogue && !(code in (media.examples ?? {}))) {
    return `the code ${code} is not documented; ${advice}`;
  }
  if (body === undefined) return undefined;
  const at = ['paths', path, route.method, 'responses', `${status}`, 'content', contentType];
  const validate = validatorAt(...at, 'schema');
  return validate(body) ? undefined : ajv.errorsText(validate.errors);
}

const advice = 'add its code to `errors` of the route';
