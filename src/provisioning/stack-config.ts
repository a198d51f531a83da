/**
 * Stack configuration files: stacks/Pulumi.<stack>.yaml, the same files that `pulumi config set` edits.
 *
 * They are written directly because a CLI process for each costs more than the container's start. What
 * is not ours in a file (the encryption salt, keys an operator added) stays as it is.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { sha256Hex } from '../lib/crypto.ts';
import { replaceFile } from '../lib/replace-file.ts';
import type { StackValues } from './messages.ts';

interface StackFile {
  encryptionsalt?: string;
  config?: Record<string, unknown>;
}

/** The path of a stack's configuration file. */
export function stackConfigPath(stacksDir: string, stack: string): string {
  return join(stacksDir, `Pulumi.${stack}.yaml`);
}

/**
 * Sets the given values (keys with their namespace, e.g. `swiftcache:port`), whole or not at all.
 * @param seen the print of the configuration that they build on.
 * @throws where it is neither that one any more, nor says the values already.
 */
export function writeStackConfig(
  stacksDir: string,
  stack: string,
  values: StackValues,
  seen?: string,
): void {
  const texts = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, String(value)]),
  );
  changeStackFile(stacksDir, stack, (file) => {
    const { config = {} } = file;
    const isSaid = Object.entries(texts).every(([key, text]) => String(config[key]) === text);
    if (seen !== undefined && !isSaid && seen !== printOf(config)) {
      throw new Error("the stack's configuration was changed meanwhile");
    }
    return { ...file, config: { ...config, ...texts } };
  });
}

/** Changes with each change of a stack's configuration. */
export function printStackConfig(stacksDir: string, stack: string): string {
  return printOf(readStackConfig(stacksDir, stack));
}

function printOf(config: Record<string, unknown>): string {
  return sha256Hex(JSON.stringify(config));
}

/** Reads a stack's configuration, keys with their namespace. */
export function readStackConfig(stacksDir: string, stack: string): Record<string, unknown> {
  return readStackFile(stackConfigPath(stacksDir, stack)).config ?? {};
}

/** Sets the salt from which Pulumi derives the stack's encryption key. */
export function writeStackSalt(stacksDir: string, stack: string, salt: string): void {
  changeStackFile(stacksDir, stack, (file) => ({ ...file, encryptionsalt: salt }));
}

/** Removes a stack's configuration; one that is not there is no problem. */
export function removeStackConfig(stacksDir: string, stack: string): void {
  rmSync(stackConfigPath(stacksDir, stack), { force: true });
}

function changeStackFile(
  stacksDir: string,
  stack: string,
  change: (file: StackFile) => StackFile,
): void {
  const path = stackConfigPath(stacksDir, stack);
  replaceFile(path, stringify(change(readStackFile(path))));
}

function readStackFile(path: string): StackFile {
  try {
    // A machine that lost its power may have left zeros in it.
    return (parse(readFileSync(path, 'utf8').replaceAll('\0', '')) as StackFile | null) ?? {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
