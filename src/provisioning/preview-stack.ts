/** What a run would change: Pulumi's preview of a stack with other values, none of them written. */
import * as pulumi from '@pulumi/pulumi';
import type { EngineEvent, StepEventMetadata } from '@pulumi/pulumi/automation/index.js';
import { buildStack } from '../../infra/program.ts';
import type { PlannedChange } from '../instances/services.ts';
import { type Engine, openStack, openWorkspace, type RunOptions } from './engine.ts';
import type { StackValues } from './messages.ts';

/** The properties that may be shown; others (a password) are named without their values. */
const shownProperties: readonly string[] = [
  'memory',
  'memorySwap',
  'mustRun',
  'image',
  'maxMemoryBytes',
  'evictionPolicy',
  'persistence',
];

const unchanged: readonly string[] = ['same', 'read', 'refresh'];

/** Previews a stack as `values` would make it. The program sees them in place of its configuration. */
export async function previewStack(
  engine: Engine,
  name: string,
  values: StackValues,
  run: RunOptions,
): Promise<PlannedChange[]> {
  const stack = await openStack(await openWorkspace(engine), name);
  const changes: PlannedChange[] = [];
  await stack.preview({
    program: async () => {
      for (const [key, value] of Object.entries(values)) {
        pulumi.runtime.setConfig(key, String(value));
      }
      return buildStack();
    },
    suppressProgress: true,
    suppressOutputs: true,
    color: 'never',
    signal: run.signal,
    onEvent: (event) => readEvent(event, changes, run),
  });
  return changes;
}

function readEvent(event: EngineEvent, changes: PlannedChange[], { onDiagnostic }: RunOptions) {
  const diagnostic = event.diagnosticEvent;
  if (diagnostic?.severity === 'error') onDiagnostic(diagnostic.message);
  const metadata = event.resourcePreEvent?.metadata;
  if (!metadata || unchanged.includes(metadata.op) || metadata.type.startsWith('pulumi:')) return;
  changes.push({
    resource: metadata.urn.split('::').at(-1) ?? '',
    type: metadata.type,
    action: metadata.op,
    properties: changedProperties(metadata),
  });
}

function changedProperties({ diffs, detailedDiff, old, new: next }: StepEventMetadata) {
  const [before, after] = [old?.inputs ?? {}, next?.inputs ?? {}];
  // Our own plugin only says that something changes, not what.
  const told = detailedDiff ? Object.keys(detailedDiff) : (diffs ?? []);
  const differing = shownProperties.filter((name) => before[name] !== after[name]);
  return (told.length > 0 ? told : differing).map((name) => {
    const isShown = shownProperties.includes(name);
    return {
      name,
      from: isShown ? (before[name] ?? null) : null,
      to: isShown ? (after[name] ?? null) : null,
    };
  });
}
