/**
 * What a stack's state says its last finished run made: the eye on what operators do with Pulumi.
 *
 * A file backend is read as files, which costs next to nothing and sees who holds a lock. Other backends
 * are asked through the CLI, as an operator would ask. Nothing is written and no secret is decrypted.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Config } from '../../config.ts';
import type { Settings } from '../../instances/settings.ts';
import { backendEnvironment } from '../backend-environment.ts';
import { projectFolder, stateFolder } from '../file-backend.ts';
import type { WorkerSettings } from '../messages.ts';
import { readStackConfig, stackConfigPath } from '../stack-config.ts';
import { isLocked, lockOwners } from '../stack-locks.ts';

const runFile = promisify(execFile);
const cliTimeoutMs = 30_000;
const outputBytesMax = 64 * 1024 * 1024;

export type StackReport =
  /** It has resources; what their settings are, as far as the state says. */
  | { readonly kind: 'made'; readonly settings: Partial<Settings> }
  /** It has no resources, or is not there though others are. */
  | { readonly kind: 'empty' }
  /** A run is under way, or the state cannot be read. */
  | { readonly kind: 'unknown' };

export interface StackStates {
  read(stack: string): Promise<StackReport>;
  /** Gives a question for later: is the stack's state as it was now? Of what is not there yet: yes. */
  rememberState(stack: string): Promise<() => Promise<boolean>>;
  /** A stack's configuration here, where it was written later than the state; else nothing. */
  readNewerConfig(stack: string): Promise<Readonly<Record<string, unknown>>>;
  /** Whether somebody may be running Pulumi on the stack. */
  isLocked(stack: string): boolean;
  /** The same, with locks whose owner is known to be dead. */
  hasLock(stack: string): boolean;
  /** Something that changes with each write of a stack's state, for every stack by name. */
  listMarks(): Promise<ReadonlyMap<string, string>>;
  /** How long to wait between two such lists: they cost more or less. */
  readonly listEveryMs: number;
}

interface StateResource {
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

interface Deployment {
  readonly resources?: readonly StateResource[];
  readonly pending_operations?: readonly unknown[];
}

export function createStackStates(config: Config, settings: WorkerSettings): StackStates {
  const root = stateFolder(settings.backendUrl);
  return root ? readFiles(root, settings) : askCli(config, settings);
}

function readFiles(root: string, { backendUrl, stacksDir }: WorkerSettings): StackStates {
  const folder = projectFolder(root, 'stacks');
  const suffix = '.json';
  const listStacks = async (): Promise<string[]> => {
    const files = await readdir(folder).catch(ifMissing<string[]>([]));
    return files.filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -5));
  };
  const lookAt = async (stack: string) =>
    await stat(join(folder, `${stack}${suffix}`)).catch(ifMissing(undefined));
  return {
    listEveryMs: 1_000,
    isLocked: (stack) => isLocked(backendUrl, stack),
    hasLock: (stack) => lockOwners(backendUrl, stack).length > 0,
    async read(stack) {
      const file = join(folder, `${stack}${suffix}`);
      const text = await readFile(file, 'utf8').catch(ifMissing(undefined));
      if (text === undefined) return await reportMissing(listStacks);
      const checkpoint = parseJson<{ checkpoint?: { latest?: Deployment } }>(text)?.checkpoint;
      return checkpoint ? describeDeployment(checkpoint.latest ?? {}) : { kind: 'unknown' };
    },
    async rememberState(stack) {
      const before = await lookAt(stack);
      return async () => !before || (await lookAt(stack))?.mtimeMs === before.mtimeMs;
    },
    async readNewerConfig(stack) {
      const state = await lookAt(stack);
      const file = await stat(stackConfigPath(stacksDir, stack)).catch(ifMissing(undefined));
      return file && state && file.mtimeMs > state.mtimeMs ? readStackConfig(stacksDir, stack) : {};
    },
    async listMarks() {
      const stacks = await listStacks();
      const marks = stacks.map(async (stack) => {
        return [stack, String((await lookAt(stack))?.mtimeMs)] as const;
      });
      return new Map(await Promise.all(marks));
    },
  };
}

function askCli(config: Config, settings: WorkerSettings): StackStates {
  const ask = async (...words: string[]): Promise<string> => {
    const { stdout } = await runFile(join(settings.pulumiBinDir, 'pulumi'), words, {
      cwd: settings.projectDir,
      env: cliEnvironment(config, settings),
      timeout: cliTimeoutMs,
      maxBuffer: outputBytesMax,
    });
    return stdout;
  };
  /** The whole of a stack's state; undefined where there is none. */
  const exportStack = async (stack: string): Promise<string | undefined> =>
    await ask('stack', 'export', '-s', stack, '--non-interactive').catch((error) => {
      if (String(error.stderr).includes('no stack named')) return undefined;
      throw error;
    });
  const list = async (): Promise<{ name: string; lastUpdate?: string; resourceCount?: number }[]> =>
    JSON.parse(await ask('stack', 'ls', '--json', '--non-interactive'));
  return {
    listEveryMs: 4_000,
    async rememberState(stack) {
      const before = await exportStack(stack);
      return async () => before === undefined || (await exportStack(stack)) === before;
    },
    // When the state was written, only the backend knows, by another clock.
    readNewerConfig: async () => ({}),
    // A run under way shows in its pending operations; that of the service is in the row's lease.
    isLocked: () => false,
    hasLock: () => false,
    async read(stack) {
      const stacks = (await list()).map(({ name }) => shortName(name));
      if (!stacks.includes(stack)) return await reportMissing(async () => stacks);
      const text = await exportStack(stack);
      const deployment = parseJson<{ deployment?: Deployment }>(text ?? '')?.deployment;
      const isUnderWay = (deployment?.pending_operations ?? []).length > 0;
      return deployment && !isUnderWay ? describeDeployment(deployment) : { kind: 'unknown' };
    },
    async listMarks() {
      return new Map(
        (await list()).map(({ name, lastUpdate, resourceCount }) => {
          return [shortName(name), `${lastUpdate}/${resourceCount}`];
        }),
      );
    },
  };
}

/** A backend with no stack at all is not the one that the instances were made in. */
async function reportMissing(listStacks: () => Promise<string[]>): Promise<StackReport> {
  return { kind: (await listStacks()).length > 0 ? 'empty' : 'unknown' };
}

/** Reads the settings that a deployment's resources were last made with. */
function describeDeployment({ resources = [] }: Deployment): StackReport {
  const real = resources.filter(({ type }) => !type.startsWith('pulumi:'));
  if (real.length === 0) return { kind: 'empty' };
  const inputsOf = (type: string) => real.find((resource) => resource.type === type)?.inputs ?? {};
  const { image } = inputsOf('docker:index/container:Container');
  const { maxMemoryBytes, evictionPolicy, persistence } = inputsOf(
    'swiftcache:index:RedisSettings',
  );
  return {
    kind: 'made',
    settings: {
      ...(typeof image === 'string' && { image }),
      ...(Number.isSafeInteger(maxMemoryBytes) && { maxMemoryBytes: maxMemoryBytes as number }),
      ...(typeof evictionPolicy === 'string' && { evictionPolicy }),
      ...(typeof persistence === 'boolean' && { persistence }),
    },
  };
}

function cliEnvironment(config: Config, settings: WorkerSettings): NodeJS.ProcessEnv {
  return {
    ...config.stateCredentials,
    PATH: [settings.pulumiBinDir, config.path].join(':'),
    HOME: config.home,
    PULUMI_HOME: settings.pulumiHome,
    ...backendEnvironment(settings.backendUrl),
    PULUMI_CONFIG_PASSPHRASE_FILE: settings.passphraseFile,
    PULUMI_SKIP_UPDATE_CHECK: 'true',
  };
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}

/** Gives undefined for what is half-written. */
function parseJson<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
