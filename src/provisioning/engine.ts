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
} from '@pulumi/pulumi/automation/index.js';
import { buildStack } from '../../infra/program.ts';
import type { Phase, StackOutputs, StackValues, WorkerSettings } from './messages.ts';
import { writeStackConfig } from './stack-config.ts';
import { createStack } from './stack-creation.ts';
import type { WarmProviders } from './warm-providers.ts';

export interface RunOptions {
  readonly onPhase: (phase: Phase) => void;
  readonly onDiagnostic: (message: string) => void;
  readonly signal: AbortSignal;
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

/** Brings a stack to what `values` say and gives its outputs, secrets in clear. */
export async function applyStack(
  engine: Engine,
  name: string,
  values: StackValues,
  { fresh, ...run }: RunOptions & { fresh: boolean },
): Promise<StackOutputs> {
  const { settings } = engine;
  run.onPhase('prepare');
  const workspace = await openWorkspace(engine);
  if (fresh) {
    await createStack(settings, workspace, name, regionOf(values));
    writeStackConfig(settings.stacksDir, name, values);
  } else {
    writeStackConfig(settings.stacksDir, name, values);
    if (!(await stackExists(workspace, name))) {
      await createStack(settings, workspace, name, undefined);
    }
  }
  const stack = await openStack(workspace, name);
  const captured: StackOutputs = {};
  await stack.up({
    program: async () => captureOutputs(captured),
    suppressProgress: true,
    suppressOutputs: true,
    color: 'never',
    signal: run.signal,
    onEvent: (event) => reportEvent(event, run),
  });
  run.onPhase('finish');
  return captured;
}

/** Destroys a stack's resources and then the stack itself; one that is not there is no problem. */
export async function destroyStack(engine: Engine, name: string, run: RunOptions): Promise<void> {
  const workspace = await openWorkspace(engine);
  if (!(await stackExists(workspace, name))) return;
  run.onPhase('destroy');
  const stack = await openStack(workspace, name);
  await stack.destroy({
    remove: true,
    suppressProgress: true,
    suppressOutputs: true,
    color: 'never',
    signal: run.signal,
    onEvent: (event) => reportEvent(event, run),
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

/** Whether the backend has the stack. */
export async function stackExists(workspace: LocalWorkspace, name: string): Promise<boolean> {
  const stacks = await workspace.listStacks();
  return stacks.some((stack) => stack.name === name || stack.name.endsWith(`/${name}`));
}

/** Runs the program and keeps the values of its outputs once they are known. */
function captureOutputs(captured: StackOutputs): Record<string, unknown> {
  const outputs = buildStack();
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

function reportEvent(event: EngineEvent, { onPhase, onDiagnostic }: RunOptions): void {
  const type = event.resourcePreEvent?.metadata.type;
  const operation = event.resourcePreEvent?.metadata.op;
  if (type && phaseOfType[type] && operation !== 'same') onPhase(phaseOfType[type]);
  const diagnostic = event.diagnosticEvent;
  if (diagnostic?.severity === 'error') onDiagnostic(diagnostic.message);
}

/** What the CLI sees beside the worker's own, allow-listed environment. */
function cliEnvironment(settings: WorkerSettings, warmProviders: string): Record<string, string> {
  return {
    PULUMI_BACKEND_URL: settings.backendUrl,
    PULUMI_CONFIG_PASSPHRASE_FILE: settings.passphraseFile,
    ...(warmProviders ? { PULUMI_DEBUG_PROVIDERS: warmProviders } : {}),
  };
}
