import type { LocalWorkspace } from '@pulumi/pulumi/automation/index.js';
import type { Engine } from './engine.ts';

/** Creates an empty stack, encrypted with the installation's passphrase. */
export async function createStack(
  workspace: LocalWorkspace,
  name: string,
  _engine: Engine,
): Promise<void> {
  await workspace.createStack(name);
}
