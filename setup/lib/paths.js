/** Where set-up keeps its things, and where Pulumi looks for its own. */
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { dockerProviderVersion, pulumiVersion } from './versions.js';

export const repositoryFolder = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const toolchainFolder = path.join(repositoryFolder, 'toolchain');
export const modulesFolder = path.join(repositoryFolder, 'node_modules');

export const setupFolder = path.join(repositoryFolder, '.setup');
export const factsFile = path.join(setupFolder, 'facts.json');
export const lockFile = path.join(setupFolder, 'lock');
export const logsFolder = path.join(setupFolder, 'logs');
export const runtimeFolder = path.join(setupFolder, 'runtime');
export const temporaryFolder = path.join(setupFolder, 'tmp');
/** Go's modules and its build cache while Pulumi is built; some 4 GB, removed when it has worked. */
export const goFolder = path.join(setupFolder, 'go');

export const pulumiHome = process.env.PULUMI_HOME || path.join(os.homedir(), '.pulumi');
/** Where the Automation API's own installer puts a version, beside the user's `~/.pulumi/bin`. */
export const pulumiBinFolder = path.join(pulumiHome, 'versions', pulumiVersion, 'bin');
export const dockerProviderFile = path.join(
  pulumiHome,
  'plugins',
  `resource-docker-v${dockerProviderVersion}`,
  'pulumi-resource-docker',
);
