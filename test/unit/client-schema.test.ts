/** The committed types of the TypeScript client are those of the API as it is. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { clientSchemaFile, generateClientSchema } from '../../scripts/client-schema.ts';

test('schema.ts is what "npm run generate:client" writes', async (t) => {
  const wanted = await generateClientSchema();
  const isSame = readFileSync(clientSchemaFile, 'utf8') === wanted;
  t.true(isSame, 'the API has changed: run "npm run generate:client"');
});
