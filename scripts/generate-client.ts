/** `npm run generate:client`: writes the types of the TypeScript client from the OpenAPI document. */
import { writeFileSync } from 'node:fs';
import { clientSchemaFile, generateClientSchema } from './client-schema.ts';

writeFileSync(clientSchemaFile, await generateClientSchema());
process.stdout.write(`Written: ${clientSchemaFile}\n`);
