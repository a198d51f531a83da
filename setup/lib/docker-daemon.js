/** Starts the machine's Docker engine and waits until it answers. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { defaultHost } from './docker-address.js';
import { readEngineVersion } from './docker-engine.js';
import { logsFolder } from './paths.js';
import { SetupError } from './setup-error.js';

const startTimeoutMs = 60_000;
const pollMs = 100;
const pidFiles = [
  { file: '/var/run/docker.pid', program: 'dockerd' },
  { file: '/var/run/docker/containerd/containerd.pid', program: 'containerd' },
];

/**
 * With systemd where it runs; else as a process of its own that outlives us.
 *
 * @param {import('./context.js').Context} context
 * @param {string} program the path of `dockerd`.
 * @throws {import('./setup-error.js').SetupError} when it ends or does not answer in time.
 */
export async function startEngine(context, program) {
  if (fs.existsSync('/run/systemd/system')) {
    context.status('starting it with systemd');
    await context.run('systemctl', ['enable', '--now', 'docker'], {
      timeoutMs: startTimeoutMs,
      remedy: 'See why: journalctl -u docker --no-pager | tail -50',
    });
    await waitForEngine(() => undefined, 'journalctl -u docker');
    return;
  }
  const [engine] = pidFiles;
  if (isRunning(engine)) {
    context.status('it is starting already');
    await waitForEngine(() => undefined, '');
    return;
  }
  context.note('no systemd here: starting dockerd, which keeps running after this');
  pidFiles.filter((entry) => !isRunning(entry)).forEach(removeStale);
  await startDetached(program);
}

async function startDetached(program) {
  const logFile = path.join(logsFolder, 'dockerd.log');
  const log = fs.openSync(logFile, 'a');
  const child = spawn(program, [], { stdio: ['ignore', log, log], detached: true });
  fs.closeSync(log);
  let ended;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `code ${code}`}`;
  });
  await waitForEngine(() => ended, logFile);
  child.removeAllListeners();
  child.unref();
}

async function waitForEngine(readEnd, logFile) {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    try {
      await readEngineVersion({ host: defaultHost });
      return;
    } catch (cause) {
      const end = readEnd();
      if (end === undefined && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, pollMs));
        continue;
      }
      const reason = end ?? `it did not answer within ${startTimeoutMs / 1000} s`;
      throw new SetupError(`dockerd was started, but ${reason}.`, {
        remedy: `${readTail(logFile)}Start it yourself and see to what it reports: dockerd`,
        logFile: logFile || undefined,
        cause,
      });
    }
  }
}

function isRunning({ file, program }) {
  try {
    const pid = fs.readFileSync(file, 'utf8').trim();
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === program;
  } catch {
    return false;
  }
}

/**
 * After a crash the number in a file left behind may belong to anybody, and dockerd would take that
 * process for itself, or end it for not answering as containerd.
 */
function removeStale({ file }) {
  fs.rmSync(file, { force: true });
}

function readTail(logFile) {
  if (!fs.existsSync(logFile)) return '';
  const lines = fs.readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-5);
  return lines.map((line) => `| ${line}\n`).join('');
}
