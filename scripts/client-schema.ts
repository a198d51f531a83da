/**
 * The types of the TypeScript client, made from the OpenAPI document; a test compares them with the file.
 *
 * Of the answers only the good ones and one problem are kept: the client throws every problem as one
 * error, and the file would else be ten times as long.
 */
import { join } from 'node:path';
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import { rootDir } from '../src/config.ts';
import { createOpenApiDocument } from '../src/http/openapi.ts';
import { routes } from '../src/http/routes/index.ts';

export const clientSchemaFile = join(rootDir, 'clients/typescript/schema.ts');

const heading = `/**
 * The types of the API. Made from its OpenAPI document by "npm run generate:client": do not edit.
 */

`;

type Answer = { readonly content?: Readonly<Record<string, { readonly schema?: object }>> };

interface Document {
  readonly paths: Record<string, Record<string, { responses: Record<string, Answer> }>>;
  readonly components: Record<string, object>;
}

/** Gives the text of the file as it should be. */
export async function generateClientSchema(): Promise<string> {
  const document = JSON.parse(JSON.stringify(createOpenApiDocument(routes))) as Document;
  for (const methods of Object.values(document.paths)) {
    for (const operation of Object.values(methods)) {
      operation.responses = keepGoodAnswers(operation.responses);
    }
  }
  const { schemas, parameters } = document.components;
  const slim = { ...document, components: { schemas, parameters } };
  const nodes = await openapiTS(slim as unknown as OpenAPI3, { defaultNonNullable: false });
  return heading + astToString(nodes);
}

/** Of each answer, what it holds: the examples are in the document. */
function keepGoodAnswers(responses: Record<string, Answer>): Record<string, Answer> {
  const kept = Object.entries(responses).filter(([status]) => /^(2|default)/.test(status));
  const slim = kept.map(([status, { content, ...answer }]) => {
    const media = Object.entries(content ?? {}).map(([type, { schema }]) => [type, { schema }]);
    const { headers: _, ...about } = answer as { headers?: object };
    return [status, { ...about, ...(content && { content: Object.fromEntries(media) }) }];
  });
  return Object.fromEntries(slim) as Record<string, Answer>;
}
