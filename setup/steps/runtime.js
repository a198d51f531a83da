/**
 * A Node that runs TypeScript. Where the machine's own is too old, npm's package of Node goes to
 * `.setup/runtime`, and a link at `node_modules/.bin/node` makes npm's scripts find it first.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { modulesFolder, runtimeFolder } from '../lib/paths.js';
import { nodePackage } from '../lib/platform.js';
import { SetupError } from '../lib/setup-error.js';
import { compareVersions, nodeVersionMin } from '../lib/versions.js';
import { npmCommand } from './packages.js';

const link = path.join(modulesFolder, '.bin', 'node');
const program = path.join(runtimeFolder, 'node_modules', nodePackage().name, 'bin', 'node');

/** @type {import('../lib/steps.js').Step} */
export const runtime = {
  name: 'runtime',

  async check({ facts }) {
    if (await isMachineNodeGood()) {
      facts.node = { path: process.execPath, version: process.versions.node };
      return `Node ${process.versions.node} of this machine`;
    }
    const version = facts.node?.path === link ? facts.node.version : undefined;
    const isLinked = (await readRealPath(link)) === program && version !== undefined;
    return isLinked ? `Node ${version} from npm` : undefined;
  },

  async act({ run, note }) {
    if (!process.execPath.startsWith(runtimeFolder)) {
      note(`Node ${process.versions.node} is older than ${nodeVersionMin}: taking npm's package`);
    }
    if ((await readRealPath(program)) === undefined) {
      const { name, range } = nodePackage();
      await run(
        ...npmCommand([
          ...['install', '--no-save', '--no-package-lock', '--ignore-scripts'],
          ...['--prefix', runtimeFolder, `${name}@${range}`],
        ]),
        {
          name: 'npm install',
          remedy: `Install Node ${nodeVersionMin} or newer yourself: https://nodejs.org/`,
        },
      );
    }
    await fs.mkdir(path.dirname(link), { recursive: true });
    const draft = `${link}.${process.pid}`;
    await fs.symlink(program, draft);
    await fs.rename(draft, link);
  },

  async verify({ facts }) {
    const version = await readVersion();
    if (compareVersions(version, nodeVersionMin) < 0) {
      throw new SetupError(`${link} is Node ${version}, which is too old.`, {
        remedy: `Remove the folder ${runtimeFolder} and run the same command again.`,
      });
    }
    facts.node = { path: link, version };
    return `Node ${version} from npm`;
  },
};

/** Once the link is there, npm starts set-up itself with the linked Node: that one is not a proof. */
async function isMachineNodeGood() {
  const own = await readRealPath(process.execPath);
  if (own?.startsWith(runtimeFolder)) return false;
  return compareVersions(process.versions.node, nodeVersionMin) >= 0;
}

async function readVersion() {
  try {
    const { stdout } = await promisify(execFile)(link, ['-p', 'process.versions.node']);
    return stdout.trim();
  } catch (cause) {
    throw new SetupError(`npm's Node does not run on this machine: ${cause.message}`, {
      remedy: `Install Node ${nodeVersionMin} or newer yourself: https://nodejs.org/`,
      cause,
    });
  }
}

async function readRealPath(file) {
  try {
    return await fs.realpath(file);
  } catch {
    return undefined;
  }
}
