/** Runs the steps one after the other: check, act when it is needed, verify, tell. */
import fs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { readFacts, writeFacts } from './facts.js';
import { factsFile as defaultFactsFile } from './paths.js';

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {(context: import('./context.js').Context) => Promise<string | undefined>} check
 *   cheap; gives what is there in a few words, or undefined when there is work to do.
 * @property {(context: import('./context.js').Context) => Promise<void>} act does the work. It may
 *   find any part of it done, by a run that was interrupted.
 * @property {(context: import('./context.js').Context) => Promise<string>} verify sees that the
 *   work is good and gives what is there now; throws otherwise.
 */

/**
 * @param {Step[]} steps
 * @param {import('./context.js').Context & {startStep(name: string): void}} context
 * @param {{start(name: string): void, finish(summary: string): void,
 *   fail(error: unknown, logFile: string): void}} progress
 * @param {{factsFile?: string}} [options]
 * @returns {Promise<boolean>} whether all of them succeeded; the first failure ends the run.
 */
export async function runSteps(steps, context, progress, { factsFile = defaultFactsFile } = {}) {
  for (const step of steps) {
    progress.start(step.name);
    context.startStep(step.name);
    try {
      progress.finish(await runStep(step, context));
      if (!isDeepStrictEqual(context.facts, readFacts(factsFile))) {
        writeFacts(factsFile, context.facts);
      }
    } catch (error) {
      progress.fail(error, context.logFile);
      return false;
    }
  }
  return true;
}

async function runStep(step, context) {
  const found = await step.check(context);
  if (found !== undefined) return found;
  // The log tells of the last time there was work, not of the checks since.
  if (context.logFile) fs.rmSync(context.logFile, { force: true });
  await step.act(context);
  return step.verify(context);
}
