/**
 * Runs other programs: bounded in time, their whole output in a log, their last line shown.
 * Each gets a process group of its own, so that stopping it stops what it started as well.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { SetupError } from './setup-error.js';

const tailLines = 8;
const graceMs = 3000;
const running = new Set();

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {string} [name] what to call it in an error; else the command and its first argument.
 * @property {NodeJS.ProcessEnv} [env] added to this process's own.
 * @property {number} [timeoutMs] in all; 30 minutes unless told.
 * @property {string} [logFile] everything it writes is added here.
 * @property {(line: string) => void} [onLine] each line it writes, of either stream.
 * @property {string} [remedy] for the error when it fails.
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<string>} its standard output.
 * @throws {SetupError} when it cannot be started, fails, or takes too long; with its last lines.
 */
export function runProgram(command, args, options = {}) {
  const { cwd, env, timeoutMs = 30 * 60_000, logFile, onLine = () => {}, remedy } = options;
  const name = options.name ?? [path.basename(command), ...args.slice(0, 1)].join(' ');
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(child);
    const log = openLog(logFile, `$ ${[command, ...args].join(' ')}\n`);
    const output = [];
    const tail = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      void stop(child);
    }, timeoutMs);

    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', log.write);
      if (stream === child.stdout) stream.on('data', (text) => output.push(text));
      readLines(stream, (line) => {
        tail.push(line);
        if (tail.length > tailLines) tail.shift();
        onLine(line);
      });
    }
    const finish = (settle) => {
      clearTimeout(timer);
      running.delete(child);
      log.close();
      settle();
    };
    const fail = (message, cause) =>
      reject(
        new SetupError(message, {
          remedy: joinRemedy(tail, remedy),
          lastLine: tail.at(-1),
          logFile,
          cause,
        }),
      );

    child.once('error', (error) =>
      finish(() => fail(`${name} cannot be started: ${error.message}`, error)),
    );
    child.once('close', (code, signal) =>
      finish(() => {
        if (timedOut) fail(`${name} took more than ${timeoutMs / 1000} s`);
        else if (code === 0) resolve(output.join(''));
        else fail(`${name} ended with ${signal ?? `code ${code}`}`);
      }),
    );
  });
}

/**
 * Stops every program that is running now, with everything it started.
 *
 * @returns {Promise<void>} when all of them have ended.
 */
export async function stopPrograms() {
  await Promise.all([...running].map(stop));
}

/**
 * Says whether a program can be found.
 *
 * @param {string} command
 * @param {string[]} [folders] places to look besides PATH.
 * @returns {string | undefined} its path.
 */
export function findProgram(command, folders = []) {
  for (const folder of [...(process.env.PATH ?? '').split(':'), ...folders]) {
    const file = `${folder}/${command}`;
    try {
      fs.accessSync(file, fs.constants.X_OK);
      return file;
    } catch {
      // Not in this folder: look in the next.
    }
  }
  return undefined;
}

/** As Ctrl-C would; a program that does not end then is ended. */
async function stop(child) {
  const ended = new Promise((resolve) => child.once('close', resolve));
  signalGroup(child, 'SIGINT');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
  await ended;
  clearTimeout(timer);
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself in the meantime.
  }
}

function openLog(logFile, heading) {
  if (logFile === undefined) return { write: () => {}, close: () => {} };
  const descriptor = fs.openSync(logFile, 'a');
  fs.writeSync(descriptor, heading);
  let isOpen = true;
  return {
    write: (chunk) => isOpen && fs.writeSync(descriptor, chunk),
    close: () => {
      if (isOpen) fs.closeSync(descriptor);
      isOpen = false;
    },
  };
}

function readLines(stream, onLine) {
  let rest = '';
  stream.on('data', (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r/);
    // A program that never ends its line must not fill the memory.
    rest = lines.pop().slice(-2000);
    for (const line of lines) if (line.trim()) onLine(line);
  });
  stream.on('end', () => rest.trim() && onLine(rest));
}

function joinRemedy(tail, remedy) {
  return [...tail.map((line) => `| ${line}`), ...(remedy ? [remedy] : [])].join('\n');
}
