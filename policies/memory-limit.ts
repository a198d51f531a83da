import { containerRule } from './rule.ts';

/** Without a limit one instance can take the host; with swap beside it, Redis would page. */
export const memoryLimit = containerRule(
  'memory-limit',
  "A container has a memory limit within the plans' bounds, and memorySwap equal to it.",
  ({ memory, memorySwap }, { memoryMibMin, memoryMibMax }) => {
    if (typeof memory !== 'number')
      return ['memory is not set: give the container a limit in MiB.'];
    const problems: string[] = [];
    if (memory < memoryMibMin || memory > memoryMibMax) {
      problems.push(`memory is ${memory} MiB, outside ${memoryMibMin} to ${memoryMibMax} MiB.`);
    }
    if (memorySwap !== memory) {
      problems.push(
        `memorySwap is ${memorySwap ?? 'not set'}: set it equal to memory (${memory}).`,
      );
    }
    return problems;
  },
);
