/**
 * Creating an empty stack.
 *
 * `pulumi stack init` takes a CLI process and a key derivation (a third of a second) to write two small
 * files. In a file backend they are written here instead: an empty checkpoint with the manifest and the
 * encryption salt of the region's stack, which Pulumi itself made with the same passphrase, and the salt
 * in the stack's configuration. Wherever that cannot be done (another backend, no region stack to take
 * it from), Pulumi does it. docs/decisions/0003 says what was measured and what is relied on.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalWorkspace } from '@pulumi/pulumi/automation/index.js';
import { projectFolder, stateFolder } from './file-backend.ts';
import type { WorkerSettings } from './messages.ts';
import { writeStackSalt } from './stack-config.ts';

/** The part of a checkpoint file (version 3) that a new stack takes over from its model. */
interface CheckpointFile {
  readonly version: number;
  readonly checkpoint: {
    readonly latest?: {
      readonly manifest: object;
      readonly secrets_providers?: { type: string; state?: { salt?: string } };
    };
  };
}

/**
 * Creates an empty stack, encrypted with the installation's passphrase.
 * @param model a stack to take manifest and salt from; undefined lets Pulumi make its own.
 */
export async function createStack(
  settings: WorkerSettings,
  workspace: LocalWorkspace,
  name: string,
  model: string | undefined,
): Promise<void> {
  const salt = model && copyEmptyCheckpoint(settings.backendUrl, name, model);
  if (salt) writeStackSalt(settings.stacksDir, name, salt);
  else await workspace.createStack(name);
}

/** Writes the new stack's checkpoint and gives its salt; undefined where the model does not serve. */
function copyEmptyCheckpoint(backendUrl: string, name: string, model: string): string | undefined {
  const root = stateFolder(backendUrl);
  if (!root) return undefined;
  const folder = projectFolder(root, 'stacks');
  const file = readCheckpoint(join(folder, `${model}.json`));
  const latest = file?.checkpoint.latest;
  const salt = latest?.secrets_providers?.state?.salt;
  if (file?.version !== 3 || latest?.secrets_providers?.type !== 'passphrase' || !salt) {
    return undefined;
  }
  const { manifest, secrets_providers } = latest;
  const checkpoint = {
    version: 3,
    checkpoint: {
      stack: `organization/swiftcache/${name}`,
      latest: { manifest, secrets_providers, metadata: {} },
    },
  };
  // A stack that is there is never overwritten.
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(checkpoint), {
    flag: 'wx',
    mode: 0o600,
  });
  return salt;
}

function readCheckpoint(path: string): CheckpointFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as CheckpointFile;
  } catch {
    return undefined;
  }
}
