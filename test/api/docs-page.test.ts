/** /docs: the API page, all of it from this service. */
import test from 'ava';
import { startApi } from '../support/api.ts';
import { openTestDatabase } from '../support/databases.ts';

const files = [
  ['/docs', 'text/html'],
  ['/docs/page.js', 'text/javascript'],
  ['/docs/page.css', 'text/css'],
  ['/docs/icon.svg', 'image/svg+xml'],
  ['/docs/swagger-ui.css', 'text/css'],
  ['/docs/swagger-ui-bundle.js', 'text/javascript'],
] as const;

test('the page and its files are public, each of its type, kept by its ETag', async (t) => {
  const { call } = await startApi(t, await openTestDatabase(t));
  for (const [path, type] of files) {
    const { status, headers, text } = await call('get', path);
    t.is(status, 200, path);
    t.true(headers.get('Content-Type')?.startsWith(type), path);
    t.true(text.length > 0);
    t.is(headers.get('Cache-Control'), 'no-cache');
    const etag = headers.get('ETag') ?? '';
    // Without its own Cache-Control, fetch would say that it wants nothing from a cache.
    const asked = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' };
    const again = await call('get', path, { headers: asked });
    t.is(again.status, 304, path);
    t.is(again.text, '');
  }
});

test('the page names nothing outside this service, and has no script or style of its own in it', async (t) => {
  const { call } = await startApi(t, await openTestDatabase(t));
  const { text } = await call('get', '/docs');
  const named = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path]) => path ?? '');
  t.deepEqual(
    named.sort(),
    files
      .map(([path]) => path)
      .slice(1)
      .sort(),
  );
  t.notRegex(text, /<style|style="|<script>| on\w+="/);
  const { text: script } = await call('get', '/docs/page.js');
  t.notRegex(script, /https?:/);
});

test('its policy lets it load from here alone; other answers keep the policy that lets nothing', async (t) => {
  const { call } = await startApi(t, await openTestDatabase(t));
  const policyOf = async (path: string): Promise<string> => {
    return (await call('get', path)).headers.get('Content-Security-Policy') ?? '';
  };
  for (const [path] of files) {
    const policy = await policyOf(path);
    t.regex(policy, /default-src 'none'/);
    t.regex(policy, /script-src 'self';/);
    t.regex(policy, /frame-ancestors 'none'/);
    t.notRegex(policy, /unsafe-eval|https?:|\*/);
  }
  t.is(await policyOf('/openapi.json'), "default-src 'none'; frame-ancestors 'none'");
});

test('no other file of a folder is served, whatever the path says', async (t) => {
  const { call } = await startApi(t, await openTestDatabase(t));
  for (const path of [
    '/docs/index.html',
    '/docs/package.json',
    '/docs/swagger-ui.js',
    '/docs/..%2fpackage.json',
    '/docs/%2e%2e/package.json',
    '/docs/page.js%00',
  ]) {
    t.is((await call('get', path)).status, 404, path);
  }
});
