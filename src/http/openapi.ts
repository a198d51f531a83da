/** The OpenAPI 3.1 document, made from the routes' own schemas. */
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
} from 'zod-openapi';
import type { Route } from './route.ts';
import { problemSchema } from './schemas.ts';

/** Makes the document of the given routes; a plain object to be sent as JSON. */
export function createOpenApiDocument(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: describeRoute(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'SwiftCache',
      version: '1.0.0',
      description: 'A Redis of your own, by one call.',
    },
    servers: [{ url: '/' }],
    paths: paths as ZodOpenApiPathsObject,
    components: {
      securitySchemes: {
        accountKey: { type: 'http', scheme: 'bearer', bearerFormat: 'sk_live_…' },
      },
    },
  });
}

function describeRoute(route: Route): ZodOpenApiOperationObject {
  const { params, query, body, access, summary, answers } = route;
  const responses = Object.entries(answers).map(([status, { description, schema }]) => {
    return [status, { description, content: { 'application/json': { schema } } }];
  });
  return {
    summary,
    operationId: operationId(route),
    security: access === 'account' ? [{ accountKey: [] }] : [],
    requestParams: { ...(params && { path: params }), ...(query && { query }) } as never,
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: body } } },
    }),
    responses: { ...Object.fromEntries(responses), default: problemResponse },
  };
}

const problemResponse = {
  description: 'What went wrong (RFC 9457)',
  content: { 'application/problem+json': { schema: problemSchema } },
};

function operationId({ method, path }: Route): string {
  const words = path.replace(/^\/api\/v1/, '').match(/\w+/g) ?? [];
  return [method, ...words].join('_');
}
