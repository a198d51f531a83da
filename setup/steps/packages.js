/** npm's packages, exactly as `package-lock.json` has them. */
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { modulesFolder, repositoryFolder } from '../lib/paths.js';
import { SetupError } from '../lib/setup-error.js';

/** @type {import('../lib/steps.js').Step} */
export const packages = {
  name: 'packages',

  async check() {
    const wanted = await readPackages(path.join(repositoryFolder, 'package-lock.json'));
    if (wanted === undefined) {
      throw new SetupError('package-lock.json cannot be read.', {
        remedy: 'Bring it back: git checkout package-lock.json',
      });
    }
    // npm writes this list when everything is in place, and removes it before it changes anything.
    const installed = await readPackages(path.join(modulesFolder, '.package-lock.json'));
    if (installed === undefined || findMissing(wanted, installed) !== undefined) return undefined;
    return `${Object.keys(installed).length} as in package-lock.json`;
  },

  async act({ run, status, note, logFile }) {
    const install = (name) => {
      status('installing');
      return run(...npmCommand(name === 'npm ci' ? ['ci'] : ['install', '--no-save']), {
        name,
        cwd: repositoryFolder,
        remedy:
          'npm could not install the packages. If it could not reach its registry, set the one\n' +
          'to use with `npm config set registry URL`, then run the same command again.',
      });
    };
    try {
      await install('npm ci');
    } catch (error) {
      if (!(await fs.readFile(logFile, 'utf8')).includes('code EUSAGE')) throw error;
      // A registry that offers few platforms leaves the others out of the lock file, and `npm ci`
      // takes no lock file with gaps. What it does hold is installed by it all the same.
      note('package-lock.json is not complete for npm ci: installing from it with npm install');
      await install('npm install');
    }
  },

  async verify(context) {
    const summary = await packages.check(context);
    if (summary !== undefined) return summary;
    throw new SetupError('npm ci ended well, yet packages are missing.', {
      remedy: 'Remove the folder node_modules and run the same command again.',
    });
  },
};

/**
 * Compares what is wanted with what is there, both as in a lock file. A package that only suits
 * another platform is optional and may be missing.
 *
 * @param {Record<string, {version?: string, optional?: boolean}>} wanted
 * @param {Record<string, {version?: string}>} installed
 * @returns {string | undefined} the first that is missing or of another version.
 */
export function findMissing(wanted, installed) {
  return Object.keys(wanted).find((name) => {
    if (name === '') return false;
    const found = installed[name];
    return found === undefined ? !wanted[name].optional : found.version !== wanted[name].version;
  });
}

/**
 * How to start npm: the one that started us, with our own Node, or the one on PATH.
 *
 * @param {string[]} args
 * @returns {[string, string[]]}
 */
export function npmCommand(args) {
  const script = process.env.npm_execpath;
  const isNpm = script !== undefined && /npm-cli\.c?js$/.test(script);
  // `npm -s start` hands its silence down, and a failure would then have no words.
  const spoken = [...args, '--loglevel=notice', '--no-audit', '--no-fund'];
  return isNpm ? [process.execPath, [script, ...spoken]] : ['npm', spoken];
}

async function readPackages(file) {
  try {
    return JSON.parse(await fs.readFile(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
