/**
 * The service's data folder: keys, state backend, database. `src/prepare.ts` knows what belongs
 * there and does nothing twice, so it is run each time and is check and work in one.
 */
import path from 'node:path';
import { repositoryFolder } from '../lib/paths.js';

/** @type {import('../lib/steps.js').Step} */
export const data = {
  name: 'data',

  check: async () => undefined,

  async act({ facts, run }) {
    await run(facts.node.path, [path.join('src', 'prepare.ts')], {
      cwd: repositoryFolder,
      timeoutMs: 120_000,
    });
  },

  verify: async () => 'keys, state backend and database are ready',
};
