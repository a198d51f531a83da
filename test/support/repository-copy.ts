/** A copy of the repository whose policies a test may change: the real ones bind every other service. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { rootDir } from '../../src/config.ts';
import { temporaryFolder } from './folders.ts';

const copied = ['src', 'infra', 'policies', 'scripts', 'plans.json', 'Pulumi.yaml', 'package.json'];
const shared = ['node_modules', '.setup', 'docs'];

/** Makes the copy, which goes with the test, and allows it some images more. Gives its folder. */
export function copyRepository(t: ExecutionContext, allowedImages: readonly string[]): string {
  const root = temporaryFolder(t);
  for (const name of copied) cpSync(join(rootDir, name), join(root, name), { recursive: true });
  for (const name of shared) symlinkSync(join(rootDir, name), join(root, name));
  const file = join(root, 'policies/allowed-images.json');
  const lists = JSON.parse(readFileSync(file, 'utf8')) as { images: string[] };
  writeFileSync(file, JSON.stringify({ ...lists, images: [...lists.images, ...allowedImages] }));
  return root;
}
