/** What every step is given: the facts so far, and how to run programs and speak. */
import fs from 'node:fs';
import path from 'node:path';
import { readFacts } from './facts.js';
import { factsFile, logsFolder } from './paths.js';
import { runProgram } from './program.js';

/**
 * @typedef {object} Context
 * @property {import('./facts.js').Facts} facts steps read and fill them.
 * @property {{offline: boolean}} network `offline` once a public host was seen not to answer:
 *   the next one is then given less time.
 * @property {(text: string) => void} note prints a line that stays.
 * @property {(text: string) => void} status shows what goes on at this moment.
 * @property {string} logFile the current step's log.
 * @property {(command: string, args: string[], options?: import('./program.js').RunOptions) =>
 *   Promise<string>} run runs a program, its output in the step's log, its last line as status.
 */

/**
 * @param {{note(text: string): void, status(text: string): void}} progress
 * @returns {Context & {startStep(name: string): void}}
 */
export function createContext(progress) {
  const context = {
    facts: readFacts(factsFile),
    network: { offline: false },
    logFile: '',
    note: (text) => progress.note(text),
    status: (text) => progress.status(text),
    startStep(name) {
      context.logFile = path.join(logsFolder, `${name}.log`);
      fs.mkdirSync(logsFolder, { recursive: true });
    },
    run: (command, args, options = {}) =>
      runProgram(command, args, {
        logFile: context.logFile,
        onLine: (line) => progress.status(line),
        ...options,
      }),
  };
  return context;
}
