/**
 * The engine: runs one stack through Pulumi's Automation API.
 *
 * Guarantees: it runs the very program and configuration that `pulumi up` runs from the project folder;
 * it never overwrites what it does not own in a stack's configuration; running a job twice ends where
 * running it once does. It lives in a worker process, because the Automation API installs process-wide
 * handlers and an exception in the program may hang or end the process.
 *
 * What makes it quick: the CLI is asked for its version once, stacks are named in each command instead
 * of selected, configuration is written as a file, and outputs are taken from the program itself, which
 * runs in this process, instead of two more CLI runs.
 */
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import {
  type EngineEvent,
  LocalWorkspace,
  PulumiCommand,
  Stack,
  type StepEventMetadata,
} from '@pulumi/pulumi/automation/index.js';
import type { Adoption } from '../../infra/adoption.ts';
import { buildStackAround } from '../../infra/program.ts';
import { backendEnvironment } from './backend-environment.ts';
import { hasCheckpoint } from './checkpoints.ts';
import { deadlines } from './deadlines.ts';
import { stateFolder } from './file-backend.ts';
import type { Job, Phase, StackOutputs, StackValues, WorkerSettings } from './messages.ts';
import type { Phases } from './phases.ts';
import { writeStackConfig } from './stack-config.ts';
import { createStack } from './stack-creation.ts';
import type { WarmProviders } from './warm-providers.ts';

export interface RunOptions {
  readonly phases: Phases;
  readonly onDiagnostic: (message: string) => void;
  readonly signal: AbortSignal;
  /** Says that the run goes on, and how long it may be silent now. */
  readonly onProgress: (silenceMs: number) => void;
  /** Resolves when the run may begin to change things. @throws where it may not, or no more. */
  readonly askLeave: () => Promise<void>;
}

/** What the engine works with, made once a worker. */
export interface Engine {
  readonly settings: WorkerSettings;
  readonly command: PulumiCommand;
  readonly providers: Pick<WarmProviders, 'attachList'>;
}

/** Finds the CLI and asks its version, once. */
export async function createEngine(
  settings: WorkerSettings,
  providers: Pick<WarmProviders, 'attachList'>,
): Promise<Engine> {
  const command = await PulumiCommand.get({
    root: join(settings.pulumiBinDir, '..'),
    skipVersionCheck: true,
  });
  return { settings, command, providers };
}

type ApplyJob = Extract<Job, { kind: 'apply' }>;

/** Brings a stack to what the job's values say and gives its outputs, secrets in clear. */
export async function applyStack(
  engine: Engine,
  job: ApplyJob,
  { adoption, ...run }: RunOptions & { adoption: Adoption },
): Promise<StackOutputs> {
  const stack = await run.phases.run('prepare', () => prepareStack(engine, job));
  const captured: StackOutputs = {};
  await run.askLeave();
  await stack.up({
    program: async () => captureOutputs(captured, adoption),
    suppressProgress: true,
    suppressOutputs: true,
    color: 'never',
    signal: run.signal,
    onEvent: (event) => reportEvent(event, run),
  });
  await run.phases.run('finish', () => run.phases.settled());
  return captured;
}

/** Writes the stack's configuration and, where there is none, its first checkpoint. */
async function prepareStack(
  engine: Engine,
  { stack: name, values, fresh, configSeen }: ApplyJob,
): Promise<Stack> {
  const { settings } = engine;
  const workspace = await openWorkspace(engine);
  if (fresh) {
    await createStack(settings, workspace, name, regionOf(values));
    writeStackConfig(settings.stacksDir, name, values);
  } else {
    writeStackConfig(settings.stacksDir, name, values, configSeen);
    if (!(await stackExists(engine, workspace, name))) {
      await createStack(settings, workspace, name, undefined);
    }
  }
  return await openStack(workspace, name);
}

/** Destroys a stack's resources and then the stack itself; one that is not there is no problem. */
export async function destroyStack(engine: Engine, name: string, run: RunOptions): Promise<void> {
  const workspace = await openWorkspace(engine);
  if (!(await stackExists(engine, workspace, name))) return;
  const stack = await openStack(workspace, name);
  await run.phases.run('destroy', async () => {
    await run.askLeave();
    await stack.destroy({
      remove: true,
      suppressProgress: true,
      suppressOutputs: true,
      color: 'never',
      signal: run.signal,
      onEvent: (event) => reportEvent(event, run),
    });
  });
}

/** A handle on a stack, without running the CLI: every command names its stack. */
export async function openStack(workspace: LocalWorkspace, name: string): Promise<Stack> {
  const stack = await Stack.select(name, workspace);
  // After `up` and `destroy` the Automation API runs the CLI three times more, for outputs and history.
  // The outputs are known here (captureOutputs), the history nobody reads.
  stack.outputs = async () => ({});
  stack.info = async () => undefined;
  return stack;
}

/** The project folder as a workspace of the Automation API. */
export async function openWorkspace({
  settings,
  command,
  providers,
}: Engine): Promise<LocalWorkspace> {
  const workspace = await LocalWorkspace.create({
    workDir: settings.projectDir,
    pulumiHome: settings.pulumiHome,
    pulumiCommand: command,
    secretsProvider: 'passphrase',
    envVars: cliEnvironment(settings, providers.attachList()),
  });
  // Selecting only writes "the current stack" into Pulumi's home, for people at a prompt.
  workspace.selectStack = async () => {};
  return workspace;
}

/** The stack of the instance's region: made by Pulumi before any instance, hence a model for it. */
function regionOf(values: StackValues): string | undefined {
  const region = values['swiftcache:region'];
  return typeof region === 'string' ? region : undefined;
}

/** Whether the backend has the stack. A file backend is looked at: its torn files would end every list. */
export async function stackExists(
  { settings }: Engine,
  workspace: LocalWorkspace,
  name: string,
): Promise<boolean> {
  const folder = stateFolder(settings.backendUrl);
  if (folder) return hasCheckpoint(folder, name);
  const stacks = await workspace.listStacks();
  return stacks.some((stack) => stack.name === name || stack.name.endsWith(`/${name}`));
}

/** Runs the program and keeps the values of its outputs once they are known. */
function captureOutputs(captured: StackOutputs, adoption: Adoption): Record<string, unknown> {
  const outputs = buildStackAround(adoption);
  pulumi.all(outputs as Record<string, pulumi.Input<unknown>>).apply((values) => {
    Object.assign(captured, values);
  });
  return outputs;
}

const phaseOfType: Readonly<Record<string, Phase>> = {
  'docker:index/volume:Volume': 'volume',
  'docker:index/container:Container': 'container',
  'swiftcache:index:RedisSettings': 'settings',
};

/** What an event of the engine says about the run, also where it changes nothing real. */
export function reportProgress(event: EngineEvent, { onDiagnostic, onProgress }: RunOptions): void {
  onProgress(silenceAfter(event));
  const diagnostic = event.diagnosticEvent;
  if (diagnostic?.severity === 'error') onDiagnostic(diagnostic.message);
}

function reportEvent(event: EngineEvent, run: RunOptions): void {
  reportProgress(event, run);
  const { phases } = run;
  const begun = phaseOf(event.resourcePreEvent?.metadata);
  if (begun) phases.begin(begun);
  const ended = phaseOf(event.resOutputsEvent?.metadata);
  if (ended) phases.end(ended);
}

/** How long the engine may be silent now: a Redis is given time to save its data, and to load it. */
function silenceAfter({ resourcePreEvent }: EngineEvent): number {
  const { type = '', op = '' } = resourcePreEvent?.metadata ?? {};
  const phase = phaseOfType[type];
  if (phase === 'container' && op.startsWith('delete')) return deadlines.silenceOfStopMs;
  return phase === 'settings' ? deadlines.silenceOfLoadMs : deadlines.silenceMs;
}

/** The phase that an event about a resource belongs to; none where the resource stays as it is. */
function phaseOf(metadata: StepEventMetadata | undefined): Phase | undefined {
  return metadata && metadata.op !== 'same' ? phaseOfType[metadata.type] : undefined;
}

/** What the CLI sees beside the worker's own, allow-listed environment. */
function cliEnvironment(settings: WorkerSettings, warmProviders: string): Record<string, string> {
  return {
    ...backendEnvironment(settings.backendUrl),
    PULUMI_CONFIG_PASSPHRASE_FILE: settings.passphraseFile,
    ...(warmProviders ? { PULUMI_DEBUG_PROVIDERS: warmProviders } : {}),
  };
}
