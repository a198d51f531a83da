/** Builds Pulumi's programs from the published Go modules that `toolchain/` pins. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { goFolder, temporaryFolder, toolchainFolder } from './paths.js';
import { findProgram } from './program.js';
import { SetupError } from './setup-error.js';
import { compareVersions, goVersionMin, pulumiVersion } from './versions.js';

const commandLine = 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi';
const languageHost = 'github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs';
const versionVariable = 'github.com/pulumi/pulumi/sdk/v3/go/common/version.Version';
const scripts = ['pulumi-analyzer-policy', 'pulumi-resource-pulumi-nodejs'];
const environment = {
  CGO_ENABLED: '0',
  // Writable modules can be removed like any other folder.
  GOFLAGS: '-mod=readonly -modcacherw -buildvcs=false',
  // Not the user's own caches: a set-up leaves nothing behind in a home directory but Pulumi's.
  GOPATH: goFolder,
  GOMODCACHE: path.join(goFolder, 'mod'),
  GOCACHE: path.join(goFolder, 'build'),
  GOWORK: 'off',
  // What a build that was ended leaves is then removed with everything else of set-up's.
  GOTMPDIR: temporaryFolder,
};

/**
 * Builds `pulumi` and the language host for Node, with the scripts that stand beside them.
 *
 * @param {string} folder where the programs go.
 * @param {import('./context.js').Context} context
 */
export async function buildCommandLine(folder, context) {
  const module = path.join(toolchainFolder, 'language-nodejs');
  const flags = `-s -w -X ${versionVariable}=v${pulumiVersion}`;
  await build('pulumi', commandLine, path.join(folder, 'pulumi'), flags, context);
  const host = path.join(folder, 'pulumi-language-nodejs');
  await build('language-nodejs', languageHost, host, flags, context);
  for (const script of scripts) {
    await fs.copyFile(path.join(module, script), path.join(folder, script));
    await fs.chmod(path.join(folder, script), 0o755);
  }
}

/**
 * @param {string} folder where the program goes.
 * @param {import('./context.js').Context} context
 */
export async function buildDockerProvider(folder, context) {
  await build(
    'provider-docker',
    '.',
    path.join(folder, 'pulumi-resource-docker'),
    '-s -w',
    context,
  );
}

/** Removes what the builds fetched and compiled; only the programs are needed from then on. */
export async function removeBuildCaches() {
  await fs.rm(goFolder, { recursive: true, force: true });
}

async function build(module, target, output, flags, { run }) {
  await requireGo(run);
  await fs.mkdir(temporaryFolder, { recursive: true });
  await run('go', ['build', '-v', '-trimpath', '-ldflags', flags, '-o', output, target], {
    cwd: path.join(toolchainFolder, module),
    env: environment,
    remedy:
      'The build needs a Go module proxy (GOPROXY) and about 4 GB of free disk. When the network\n' +
      'was the trouble, run the same command again: what was fetched and built is kept.',
  });
}

async function requireGo(run) {
  const remedy =
    `Install Go ${goVersionMin} or newer (https://go.dev/dl/), or let this machine reach\n` +
    'get.pulumi.com, and run the same command again.';
  if (!findProgram('go')) throw new SetupError('Go is needed to build Pulumi here.', { remedy });
  const version = (await run('go', ['env', 'GOVERSION'])).trim();
  if (compareVersions(version, goVersionMin) < 0) {
    throw new SetupError(`Go ${version} is too old to build Pulumi.`, { remedy });
  }
}
