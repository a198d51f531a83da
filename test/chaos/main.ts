/**
 * `npm run test:chaos [-- --short] [--only NAME,…] [--cases TEXT] [--tries N]`: breaks things and sees what comes of it.
 *
 * Prints what it does as it goes, a table at the end, and what failed; exits with 1 if anything did. The
 * short form is part of `npm test` (test/e2e/chaos.test.ts). `--list` names the faults.
 */
import { parseArgs } from 'node:util';
import { endEverything, renderTable, runFaults } from './bench.ts';
import { faults, restingOn } from './faults/index.ts';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    only: { type: 'string' },
    tries: { type: 'string' },
    cases: { type: 'string' },
  },
});
const startedMs = performance.now();
const say = (text: string): void => {
  const elapsed = ((performance.now() - startedMs) / 1_000).toFixed(1).padStart(6);
  process.stdout.write(`${elapsed} s  ${text}\n`);
};

if (values.list) {
  for (const { name, what } of faults) process.stdout.write(`${name}: ${what}\n`);
  process.exit(0);
}
const only = values.only?.split(',');
const resting = values.short && !only ? restingOn(Math.floor(Date.now() / 86_400_000)) : [];
if (resting.length > 0) say(`resting today: ${resting.map(({ name }) => name).join(', ')}`);
const chosen = faults.filter((fault) => only?.includes(fault.name) ?? !resting.includes(fault));
if (chosen.length < (only?.length ?? 1)) throw new Error('no such fault; --list names them');
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void endEverything().then(() => process.exit(1)));
}
const scores = await runFaults(chosen, {
  isShort: values.short,
  tries: values.tries === undefined ? undefined : Number(values.tries),
  cases: values.cases,
  say,
});
process.stdout.write(`\n${renderTable(scores)}\n`);
const wrong = scores.flatMap(({ name, failures, leaks }) =>
  [...failures, ...leaks].map((text) => `${name}: ${text}`),
);
for (const text of wrong) process.stdout.write(`\nWRONG: ${text}\n`);
process.exit(wrong.length === 0 ? 0 : 1);
