/**
 * What a service keeps in files beside its database: its two keys, its stacks' configuration, and the
 * stacks' state, which is archived as `pulumi stack export` gives it whatever backend it lies in.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Config } from '../config.ts';
import { pollUntil } from '../lib/retry.ts';
import { backendEnvironment } from '../provisioning/backend-environment.ts';
import { projectFolder, stateFolder, stateKinds } from '../provisioning/file-backend.ts';
import { locateProject } from '../provisioning/project.ts';

const run = promisify(execFile);
const exportBytesMax = 64 * 1024 * 1024;
const cliTimeoutMs = 120_000;
/** Longer than any checkpoint takes to be written. */
const settleWait = { timeoutMs: 3_000, intervalMs: 100 };

export type StateLocation = Pick<
  Config,
  'dataDir' | 'stateBackendUrl' | 'stateCredentials' | 'passphraseFile' | 'pulumi' | 'path' | 'home'
>;

/** The stacks that have a configuration file here; of several servers, each has those that it ran. */
export function listStacks(config: Pick<Config, 'dataDir'>): string[] {
  const { stacksDir } = locateProject(config);
  return listFiles(stacksDir).flatMap((file) => /^Pulumi\.([\w-]+)\.yaml$/.exec(file)?.[1] ?? []);
}

export function readStackConfig(
  config: Pick<Config, 'dataDir'>,
  stack: string,
): Buffer | undefined {
  return readIfThere(configPath(config, stack));
}

export function writeStackConfig(
  config: Pick<Config, 'dataDir'>,
  stack: string,
  body: Buffer,
): void {
  writeFileSync(configPath(config, stack), body, { mode: 0o600 });
}

/** What a backend in files keeps of this project's stacks; another project's, it keeps beside it. */
export function stateFolders({ stateBackendUrl }: Pick<Config, 'stateBackendUrl'>): string[] {
  const root = stateFolder(stateBackendUrl);
  return root ? stateKinds.map((kind) => projectFolder(root, kind)) : [];
}

/** Whether the backend's folder has any stack's state; other backends are not asked. */
export function hasStateFiles({ stateBackendUrl }: StateLocation): boolean {
  const folder = checkpointFolder(stateBackendUrl);
  return folder !== undefined && listFiles(folder).some((file) => file.endsWith('.json'));
}

/** The stacks that the backend has a state of. @throws where it does not answer. */
export async function listStates(config: StateLocation): Promise<Set<string>> {
  const folder = checkpointFolder(config.stateBackendUrl);
  if (folder === undefined) {
    return new Set((await listWithPulumi(config)).map(({ name }) => name));
  }
  return new Set(listFiles(folder).flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []));
}

/**
 * The state of a stack as `{"version":3,"deployment":…}`, secrets encrypted as they are; undefined where
 * it has none. @throws where it cannot be read whole.
 */
export async function exportState(
  config: StateLocation,
  stack: string,
): Promise<Buffer | undefined> {
  const folder = checkpointFolder(config.stateBackendUrl);
  if (folder === undefined) {
    return Buffer.from(await runPulumi(config, ['stack', 'export', '--stack', stack]));
  }
  const path = join(folder, `${stack}.json`);
  // A run may be writing it at this moment: then it is read again.
  return await pollUntil(async () => readCheckpoint(path) ?? null, settleWait).then(
    (found) => found ?? undefined,
  );
}

/**
 * Puts exported states into the backend. A stack that another backend than files still has is left as it
 * is there, for that is newer; gives the names of those.
 */
export async function importStates(
  config: StateLocation,
  states: ReadonlyMap<string, Buffer>,
): Promise<string[]> {
  const folder = checkpointFolder(config.stateBackendUrl);
  if (folder === undefined) return await importWithPulumi(config, states);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Without it the backend takes its folder for one of its old layout.
  writeFileSync(join(folder, '../../meta.yaml'), 'version: 1\n', { mode: 0o600 });
  for (const [stack, body] of states) {
    const { deployment } = JSON.parse(body.toString('utf8')) as { deployment: object };
    const name = `organization/swiftcache/${stack}`;
    const file = { version: 3, checkpoint: { stack: name, latest: deployment } };
    const text = `${JSON.stringify(file, null, 4)}\n`;
    writeFileSync(join(folder, `${stack}.json`), text, { mode: 0o600 });
  }
  return [];
}

async function importWithPulumi(
  config: StateLocation,
  states: ReadonlyMap<string, Buffer>,
): Promise<string[]> {
  const known = new Map((await listWithPulumi(config)).map((found) => [found.name, found]));
  const isMade = (stack: string): boolean => (known.get(stack)?.resourceCount ?? 0) > 0;
  const folder = await mkdtemp(join(config.dataDir, 'import-'));
  try {
    const file = join(folder, 'state.json');
    for (const [stack, body] of states) {
      if (isMade(stack)) continue;
      writeFileSync(file, body, { mode: 0o600 });
      // An empty one is there where a restore broke off at this place.
      if (!known.has(stack)) await runPulumi(config, ['stack', 'init', stack]);
      await runPulumi(config, ['stack', 'import', '--stack', stack, '--file', file]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return [...states.keys()].filter(isMade);
}

async function listWithPulumi(
  config: StateLocation,
): Promise<{ name: string; resourceCount?: number }[]> {
  return JSON.parse(await runPulumi(config, ['stack', 'ls', '--json']));
}

/** The CLI's own words may hold the backend's address with its password, so none of them is passed on. */
async function runPulumi(config: StateLocation, command: readonly string[]): Promise<string> {
  const { pulumi, path, home } = config;
  const program = join(pulumi.binDir, 'pulumi');
  const what = command.slice(0, 2).join(' ');
  try {
    const { stdout } = await run(program, [...command, '--non-interactive'], {
      cwd: locateProject(config).dir,
      maxBuffer: exportBytesMax,
      timeout: cliTimeoutMs,
      env: {
        ...config.stateCredentials,
        PATH: path,
        HOME: home,
        PULUMI_HOME: pulumi.home,
        ...backendEnvironment(config.stateBackendUrl),
        PULUMI_CONFIG_PASSPHRASE_FILE: config.passphraseFile,
        PULUMI_SKIP_UPDATE_CHECK: 'true',
      },
    });
    return stdout;
  } catch {
    throw new Error(`"pulumi ${what}" failed: see that the state backend answers.`);
  }
}

function readCheckpoint(path: string): Buffer | undefined {
  const body = readIfThere(path);
  if (!body) return undefined;
  const { checkpoint } = JSON.parse(body.toString('utf8')) as {
    checkpoint: { latest?: object };
  };
  if (!checkpoint.latest) return undefined;
  return Buffer.from(`${JSON.stringify({ version: 3, deployment: checkpoint.latest })}\n`);
}

function checkpointFolder(stateBackendUrl: string): string | undefined {
  const root = stateFolder(stateBackendUrl);
  return root && projectFolder(root, 'stacks');
}

function configPath(config: Pick<Config, 'dataDir'>, stack: string): string {
  return join(locateProject(config).stacksDir, `Pulumi.${stack}.yaml`);
}

/** Gives undefined where there is no such file. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
