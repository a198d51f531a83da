/**
 * Pulumi's command line, its language host for Node and its Docker provider, where Pulumi itself
 * looks for them: each downloaded, or else built from the Go modules in `toolchain/`.
 *
 * Parts are made complete under a temporary name in the same file system, tried, and then renamed
 * into place: what has its final name is whole and was seen to run.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { downloadFile } from '../lib/download.js';
import { buildCommandLine, buildDockerProvider, removeBuildCaches } from '../lib/go-build.js';
import { dockerProviderFile, pulumiBinFolder, pulumiHome, temporaryFolder } from '../lib/paths.js';
import { pulumiPlatform } from '../lib/platform.js';
import { SetupError } from '../lib/setup-error.js';
import { dockerProviderVersion, pulumiVersion } from '../lib/versions.js';

const releases = 'https://get.pulumi.com/releases';
const builtMark = '.built-by-swiftcache';
const providerStartMs = 20_000;
const programs = ['pulumi', 'pulumi-language-nodejs', 'pulumi-analyzer-policy'];

const parts = [
  {
    fact: 'pulumi',
    name: `Pulumi ${pulumiVersion}`,
    facts: { version: pulumiVersion, bin: pulumiBinFolder },
    folder: pulumiBinFolder,
    // The command line comes last: where it is, all it needs is there too.
    files: programs.map((name) => path.join(pulumiBinFolder, name)).reverse(),
    url: ({ command }) => `${releases}/sdk/pulumi-v${pulumiVersion}-${command}.tar.gz`,
    // The archive holds one folder, with every program in it.
    archiveFolder: 'pulumi',
    build: buildCommandLine,
    buildMinutes: 3,
    verify: verifyCommandLine,
  },
  {
    fact: 'dockerProvider',
    name: `Docker provider ${dockerProviderVersion}`,
    facts: { version: dockerProviderVersion, path: dockerProviderFile },
    folder: path.dirname(dockerProviderFile),
    files: [dockerProviderFile],
    url: ({ plugin }) =>
      `${releases}/plugins/pulumi-resource-docker-v${dockerProviderVersion}-${plugin}.tar.gz`,
    archiveFolder: '.',
    build: buildDockerProvider,
    buildMinutes: 3,
    verify: verifyProvider,
  },
];

/** @type {import('../lib/steps.js').Step} */
export const pulumi = {
  name: 'pulumi',

  async check({ facts }) {
    for (const part of parts) {
      if (!(await isInstalled(part))) return undefined;
    }
    return describe(facts);
  },

  async act(context) {
    for (const part of parts) {
      if (!(await isInstalled(part))) await install(part, context);
    }
    await removeBuildCaches();
  },

  async verify({ facts }) {
    await verifyCommandLine(pulumiBinFolder);
    await verifyProvider(path.dirname(dockerProviderFile));
    return describe(facts);
  },
};

async function describe(facts) {
  for (const part of parts) {
    facts[part.fact] = { ...part.facts, source: await readSource(part) };
  }
  const sources = new Set(parts.map(({ fact }) => facts[fact].source));
  return `${pulumiVersion}, Docker provider ${dockerProviderVersion} (${[...sources].join(', ')})`;
}

async function isInstalled({ files }) {
  const found = await Promise.all(files.map((file) => exists(file, fs.constants.X_OK)));
  return found.every(Boolean);
}

async function exists(file, mode = fs.constants.F_OK) {
  try {
    await fs.access(file, mode);
    return true;
  } catch {
    return false;
  }
}

/** Told by a file beside the programs, because they outlive the repository that made them. */
async function readSource({ folder }) {
  return (await exists(path.join(folder, builtMark))) ? 'built' : 'official';
}

async function install(part, context) {
  const staging = path.join(pulumiHome, `.swiftcache-${process.pid}`);
  await removeAbandoned();
  try {
    await fs.mkdir(staging, { recursive: true });
    await fill(staging, part, context);
    await fs.mkdir(part.folder, { recursive: true });
    await fs.rm(path.join(part.folder, builtMark), { force: true });
    const names = (await fs.readdir(staging)).sort(
      (a, b) => rank(a, part) - rank(b, part) || (a < b ? -1 : 1),
    );
    for (const name of names) {
      const target = path.join(part.folder, name);
      await fs.rm(target, { recursive: true, force: true });
      await fs.rename(path.join(staging, name), target);
    }
    // Pulumi's own mark for a plugin whose download was broken off; it is whole now.
    await fs.rm(`${part.folder}.partial`, { force: true });
  } finally {
    await fs.rm(staging, { recursive: true, force: true });
  }
}

/** Files that `files` names go last, in its order. */
function rank(name, { files }) {
  return files.findIndex((file) => path.basename(file) === name);
}

async function fill(staging, part, context) {
  const refusal = await tryDownload(staging, part, context);
  if (refusal === undefined) return;
  context.note(
    `${part.name}: ${refusal}; building it from the Go modules in toolchain/ instead, about ` +
      `${part.buildMinutes} minutes the first time`,
  );
  await fs.rm(staging, { recursive: true, force: true });
  await fs.mkdir(staging, { recursive: true });
  await part.build(staging, context);
  await part.verify(staging);
  await fs.writeFile(path.join(staging, builtMark), '');
}

/** @returns {Promise<string | undefined>} why it did not work, undefined when it did. */
async function tryDownload(staging, part, context) {
  const platform = pulumiPlatform();
  if (platform === undefined) return `none is offered for ${process.platform} ${process.arch}`;
  const unpacked = path.join(temporaryFolder, part.fact);
  const archive = `${unpacked}.tar.gz`;
  try {
    await downloadFile(part.url(platform), archive, context);
    await fs.rm(unpacked, { recursive: true, force: true });
    await fs.mkdir(unpacked, { recursive: true });
    await context.run('tar', ['-xzf', archive, '-C', unpacked]);
    await fs.cp(path.join(unpacked, part.archiveFolder), staging, { recursive: true });
    await part.verify(staging);
    return undefined;
  } catch (error) {
    if (error.name !== 'SetupError') throw error;
    return error.message;
  } finally {
    await fs.rm(unpacked, { recursive: true, force: true });
    await fs.rm(archive, { force: true });
  }
}

/** What runs left that were ended before they could clear up. */
async function removeAbandoned() {
  const entries = await fs.readdir(pulumiHome).catch(() => []);
  for (const entry of entries) {
    const pid = Number(/^\.swiftcache-(\d+)$/.exec(entry)?.[1]);
    if (!pid || isProcess(pid)) continue;
    await fs.rm(path.join(pulumiHome, entry), { recursive: true, force: true });
  }
}

function isProcess(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function verifyCommandLine(folder) {
  const { output } = await start(path.join(folder, 'pulumi'), ['version'], /^v?\d.*\n/);
  if (output.trim().replace(/^v/, '') !== pulumiVersion) {
    throw new SetupError(`the program pulumi says it is ${output.trim()}, not ${pulumiVersion}`);
  }
  await verifyPluginServer(path.join(folder, 'pulumi-language-nodejs'), ['127.0.0.1:1']);
}

function verifyProvider(folder) {
  return verifyPluginServer(path.join(folder, path.basename(dockerProviderFile)), []);
}

/** A plugin that works prints the port it listens on, and then waits for the engine. */
async function verifyPluginServer(file, args) {
  await start(file, args, /^\d+\n/);
}

async function start(file, args, expected) {
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: 'true' },
  });
  let output = '';
  let errors = '';
  const outcome = await new Promise((resolve) => {
    const timer = setTimeout(resolve, providerStartMs, 'it said nothing');
    const settle = (reason) => {
      clearTimeout(timer);
      resolve(reason);
    };
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (expected.test(output)) settle(undefined);
    });
    child.stderr.on('data', (chunk) => {
      errors = `${errors}${chunk}`.slice(-500);
    });
    child.once('error', (error) => settle(error.message));
    child.once('close', (code) => settle(`it ended with code ${code}: ${errors.trim()}`));
  });
  child.kill('SIGKILL');
  if (outcome === undefined) return { output };
  throw new SetupError(`${path.basename(file)} does not run: ${outcome}`, {
    remedy: `Remove ${path.dirname(file)} and run the same command again.`,
  });
}
