/** The S3 store against servers that do not do what they should. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { ObjectMissing } from '../../../../src/provisioning/backups/object-store.ts';
import { openS3Store } from '../../../../src/provisioning/backups/s3-store.ts';

process.env.AWS_ACCESS_KEY_ID = 'test';
process.env.AWS_SECRET_ACCESS_KEY = 'test';

const limits = { silenceTimeoutMs: 200, tries: 1 };

/** A store over a server that answers each request by `answer`, or never. */
async function openBadStore(
  t: ExecutionContext,
  answer: (response: ServerResponse) => void = () => {},
) {
  const server = createServer((request, response) => {
    request.resume();
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const query = new URLSearchParams({ endpoint, region: 'us-east-1', forcePathStyle: 'true' });
  return openS3Store(`s3://bucket/prefix?${query}`, limits);
}

test('a store that never answers is given up', async (t) => {
  const store = await openBadStore(t);
  await t.throwsAsync(store.read('x'), { name: 'TimeoutError' });
  await t.throwsAsync(store.remove('x'), { name: 'TimeoutError' });
  const content = Readable.from([Buffer.alloc(1024)]);
  await t.throwsAsync(store.write('x', content), { name: 'TimeoutError' });
});

test('a store that falls silent in the midst of a file is given up', async (t) => {
  const store = await openBadStore(t, (response) => {
    response.writeHead(200, { 'Content-Length': '1000' });
    response.write('half');
  });
  await t.throwsAsync(buffer(await store.read('x')), { name: 'TimeoutError' });
});

test('an object that is missing is known from one that may not be read', async (t) => {
  const missing = await openBadStore(t, (response) => response.writeHead(404).end());
  await t.throwsAsync(missing.read('x'), { instanceOf: ObjectMissing });
  const denied = await openBadStore(t, (response) => response.writeHead(403).end());
  await t.throwsAsync(denied.read('x'), { message: /s3:ListBucket/ });
});
