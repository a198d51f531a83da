/**
 * The API page at /docs: the OpenAPI document, rendered by Swagger UI.
 *
 * Guarantees: everything it needs comes from this service, and its Content-Security-Policy lets it load
 * nothing from elsewhere; the files are those named here, read once at start, so no path of a request
 * ever reaches the file system. Other answers keep the stricter policy of middleware/security-headers.ts.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Router } from '@koa/router';
import type { RequestState } from './route.ts';

/** Swagger UI sets styles on elements and has pictures in its style sheet; it needs no eval. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

/**
 * Adds the page and its files to a router.
 * @param pathPrefix what stands before every path as browsers reach it; '' for nothing.
 */
export function addDocsPage(router: Router<RequestState>, pathPrefix: string): void {
  for (const { path, type, bytes, etag } of readPageFiles(pathPrefix)) {
    router.get(path, (context) => {
      context.set({
        'Content-Security-Policy': contentPolicy,
        // Kept by the browser, but asked for each time: a new version is seen at once.
        'Cache-Control': 'no-cache',
        ETag: etag,
      });
      context.status = 200;
      context.type = type;
      if (context.fresh) context.status = 304;
      else context.body = bytes;
    });
  }
}

function readPageFiles(pathPrefix: string): PageFile[] {
  const ownDir = join(import.meta.dirname, 'docs-page');
  const uiDir = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
  const html = 'text/html; charset=utf-8';
  const script = 'text/javascript; charset=utf-8';
  const style = 'text/css; charset=utf-8';
  return [
    readPageFile('/docs', html, join(ownDir, 'index.html'), pathPrefix),
    readPageFile('/docs/page.js', script, join(ownDir, 'page.js'), pathPrefix),
    readPageFile('/docs/page.css', style, join(ownDir, 'page.css')),
    readPageFile('/docs/icon.svg', 'image/svg+xml', join(ownDir, 'icon.svg')),
    readPageFile('/docs/swagger-ui.css', style, join(uiDir, 'swagger-ui.css')),
    readPageFile('/docs/swagger-ui-bundle.js', script, join(uiDir, 'swagger-ui-bundle.js')),
  ];
}

function readPageFile(path: string, type: string, file: string, pathPrefix = ''): PageFile {
  const read = readFileSync(file);
  const bytes = pathPrefix === '' ? read : Buffer.from(putBehind(pathPrefix, String(read)));
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { path, type, bytes, etag };
}

/** The page's own files name the others by their paths from the root. */
function putBehind(pathPrefix: string, text: string): string {
  return text.replaceAll(/(?<=["' ])\/(?=docs\/|openapi\.json)/g, `${pathPrefix}/`);
}
