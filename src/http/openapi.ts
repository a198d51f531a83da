/**
 * The OpenAPI 3.1 document, made from the routes' own schemas.
 *
 * Guarantees: it has every route and nothing that is no route, but for the command gateway, which it
 * shows in short. Every body and answer has an example that fits its schema. Every error that a route may
 * answer is listed with its code. Tests compare real answers with it.
 */
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
} from 'zod-openapi';
import type { ErrorCode } from '../lib/errors.ts';
import { sessionCookie } from './authenticate-request.ts';
import { exampleOf, type Schema, type Schemas } from './openapi/examples.ts';
import { gatewayPaths, gatewaySchemas } from './openapi/gateway.ts';
import {
  answerHeaders,
  describeAnswerHeaders,
  describeRequestHeaders,
  requestHeaders,
} from './openapi/headers.ts';
import { codesOf, describeProblems, problemExamples } from './openapi/problems.ts';
import { describeTags, tagOf } from './openapi/tags.ts';
import type { Route, Upload } from './route.ts';
import { problemSchema } from './schemas/common.ts';

const describeApi = (pathPrefix: string): string => `A Redis of your own, by one call.

Authenticate with an account key, \`Authorization: Bearer sk_live_…\`. What goes on answers 202 with an
operation to follow. An error is a problem document (RFC 9457) with a stable \`code\` and a \`remedy\`:
[all of them](${pathPrefix}/docs/errors.md). Times are RFC 3339, sizes are bytes.`;

interface MediaType {
  readonly schema?: Schema;
  example?: unknown;
  readonly examples?: unknown;
}

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, MediaType>> }>
  >;
}

/**
 * Makes the document of the given routes; a plain object to be sent as JSON.
 * @param pathPrefix what stands before every path as callers reach it; '' for nothing.
 */
export function createOpenApiDocument(routes: readonly Route[], pathPrefix = ''): object {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    const path = documentPath(route.path);
    paths[path] = { ...paths[path], [route.method]: describeRoute(route) };
  }
  const usedTags = new Set([...routes.map(({ path }) => tagOf(path)), tagOf('/redis/')]);
  const document = createDocument({
    openapi: '3.1.0',
    info: { title: 'SwiftCache', version: '1.0.0', description: describeApi(pathPrefix) },
    servers: [{ url: pathPrefix || '/' }],
    tags: describeTags(usedTags) as never,
    paths: { ...paths, ...gatewayPaths } as ZodOpenApiPathsObject,
    components: describeComponents(routes) as never,
  });
  dropUnused(document as never, ['headers', 'parameters']);
  addExamples(document);
  return document;
}

/** A route's path as the document writes it: `{instanceId}` instead of `:instanceId`. */
export function documentPath(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

function describeRoute(route: Route): ZodOpenApiOperationObject {
  const { params, query, body, upload, access, summary, operationId, answers } = route;
  const good = Object.entries(answers).map(([status, answer]) => {
    return [status, describeAnswer(route, Number(status), answer)];
  });
  const bad = Object.entries(describeProblems(codesOf(route))).map(([status, problem]) => {
    return [status, { ...problem, headers: describeAnswerHeaders(route, Number(status)) }];
  });
  return {
    tags: [tagOf(route.path)],
    summary,
    ...(route.description && { description: route.description }),
    operationId,
    security: access === 'public' ? [] : [{ accountKey: [] }, { session: [] }],
    requestParams: { ...(params && { path: params }), ...(query && { query }) } as never,
    parameters: describeRequestHeaders(route) as never,
    ...(body && {
      requestBody: {
        required: !route.isBodyOptional,
        content: { 'application/json': { schema: body } },
      },
    }),
    ...(upload && { requestBody: describeUpload(upload) }),
    responses: { ...Object.fromEntries([...good, ...bad]), default: otherProblem },
  };
}

function describeUpload({ contentType, description }: Upload) {
  const schema = { type: 'string', contentMediaType: contentType } as const;
  return { required: true, description, content: { [contentType]: { schema, example: 'REDIS…' } } };
}

function describeAnswer(route: Route, status: number, answer: Route['answers'][number]): object {
  const { description, schema, headers, contentType = 'application/json' } = answer;
  return {
    description,
    headers: describeAnswerHeaders(route, status, headers),
    ...(status !== 204 && { content: { [contentType]: { schema } } }),
  };
}

/** Any route may meet these; `default` stands for them. */
const faults: readonly ErrorCode[] = ['internal_error', 'shutting_down'];

const otherProblem = {
  description: 'A fault of the service, or what any path may answer (RFC 9457)',
  content: {
    'application/problem+json': {
      schema: problemSchema,
      examples: Object.fromEntries(
        faults.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
      ),
    },
  },
};

function describeComponents(routes: readonly Route[]): object {
  const codes = new Set<ErrorCode>([...faults, ...routes.flatMap(codesOf)]);
  return {
    schemas: gatewaySchemas,
    parameters: requestHeaders,
    headers: answerHeaders,
    examples: problemExamples(codes),
    securitySchemes: {
      accountKey: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'sk_live_…',
        description: 'An account key.',
      },
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: sessionCookie,
        description: 'The cookie of somebody logged in; only from pages of this service.',
      },
      dataKey: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'sc_live_…',
        description: 'A data key: the same that opens `redis://`.',
      },
      dataKeyInQuery: {
        type: 'apiKey',
        in: 'query',
        name: '_token',
        description: 'A data key, where a header cannot be sent.',
      },
    },
  };
}

/** Takes away what is described once for all routes and no route has. */
function dropUnused(
  document: { components: Record<string, Record<string, unknown>> },
  parts: readonly string[],
): void {
  const text = JSON.stringify(document);
  for (const part of parts) {
    const things = Object.entries(document.components[part] ?? {});
    document.components[part] = Object.fromEntries(
      things.filter(([name]) => text.includes(`"#/components/${part}/${name}"`)),
    );
  }
}

/** Gives every body and every answer an example, unless it has one. */
function addExamples(document: { paths?: object; components?: { schemas?: object } }): void {
  const schemas = (document.components?.schemas ?? {}) as Schemas;
  for (const methods of Object.values(document.paths ?? {}) as Record<string, Operation>[]) {
    for (const { requestBody, responses } of Object.values(methods)) {
      for (const media of Object.values(requestBody?.content ?? {})) {
        addExample(media, schemas, true);
      }
      for (const { content } of Object.values(responses)) {
        for (const media of Object.values(content ?? {})) addExample(media, schemas, false);
      }
    }
  }
}

function addExample(media: MediaType, schemas: Schemas, isInput: boolean): void {
  if (!media.schema || 'example' in media || 'examples' in media) return;
  media.example = exampleOf(media.schema, schemas, { isInput });
}
