import { renameSync, writeFileSync } from 'node:fs';

/**
 * Writes a file that others may be reading, for the owner alone: they see the one of before or this one,
 * never a part. A kill leaves at most `<path>.<pid>.tmp`.
 */
export function replaceFile(path: string, content: string | Buffer): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content, { mode: 0o600 });
  renameSync(temporary, path);
}
