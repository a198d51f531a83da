/**
 * The bench: runs faults one after another, times each recovery, audits after it, and keeps the score.
 *
 * A try that does not end as it should, and everything an audit finds, makes its fault fail; the others
 * go on. Worlds that a fault opened are taken down with it; the shared one lives as long as the bench.
 */
import type { ServiceOwner } from '../support/service.ts';
import { auditWorld, previewStacks } from './audit.ts';
import { openWorld, type World, type WorldOptions } from './world.ts';

export interface Fault {
  readonly name: string;
  /** What is done, and what must come of it, in a sentence. */
  readonly what: string;
  /** How often it is tried; 0 leaves it out of the short form. */
  readonly tries: { readonly short: number; readonly full: number };
  run(bench: Bench): Promise<void>;
}

export interface Bench {
  readonly tries: number;
  readonly isShort: boolean;
  /** Of the cases of a matrix those alone whose names this regular expression finds. */
  readonly cases?: string | undefined;
  /** Takes down what a fault set up, last first, when it is over. */
  readonly owner: ServiceOwner;
  /** The world that faults share which leave it whole. */
  shared(): Promise<World>;
  /** A world for this fault alone. */
  fresh(options?: WorldOptions): Promise<World>;
  /**
   * One try. `work` breaks something, calls `broken` right then, and resolves once all is well again:
   * that time is the recovery's. What it throws is the try's failure.
   */
  attempt(what: string, work: (broken: () => void) => Promise<void>): Promise<void>;
  /** Looks for leaks after a try, or after a group of them. */
  audit(world: World, options?: { previews: boolean }): Promise<void>;
  say(text: string): void;
}

export interface Score {
  readonly name: string;
  readonly tries: number;
  readonly worstMs: number;
  readonly leaks: readonly string[];
  readonly failures: readonly string[];
  readonly skipped: string | undefined;
}

/** What was set up and not yet taken down, for a run that is broken off itself. */
const owners = new Set<EndingOwner>();

/** Takes down everything that runs set up, whatever they are doing. */
export async function endEverything(): Promise<void> {
  for (const owner of owners) await owner.end().catch(() => {});
}

/** Thrown by a fault that this machine cannot make. */
export class CannotBreak extends Error {}

interface RunOptions {
  readonly isShort: boolean;
  /** In place of the fault's own number. */
  readonly tries: number | undefined;
  readonly cases?: string | undefined;
  readonly say: (text: string) => void;
}

/** Runs the faults and gives a score for each. */
export async function runFaults(
  faults: readonly Fault[],
  { isShort, tries, cases, say }: RunOptions,
): Promise<Score[]> {
  const scores: Score[] = [];
  const whole = createOwner(say);
  let sharedWorld: Promise<World> | undefined;
  const shared = (): Promise<World> => {
    sharedWorld ??= openWorld(whole);
    return sharedWorld;
  };
  try {
    for (const fault of faults) {
      const planned = tries ?? fault.tries[isShort ? 'short' : 'full'];
      if (planned === 0) continue;
      say(`${fault.name}: ${fault.what}`);
      scores.push(await runFault(fault, { tries: planned, isShort, cases, shared, say }));
    }
  } finally {
    await whole.end();
  }
  return scores;
}

type Given = Pick<Bench, 'tries' | 'isShort' | 'cases' | 'shared' | 'say'>;

async function runFault(fault: Fault, given: Given): Promise<Score> {
  const { say } = given;
  const owner = createOwner(say);
  const leaks: string[] = [];
  const failures: string[] = [];
  const score = { tries: 0, worstMs: 0, skipped: undefined as string | undefined };
  const bench: Bench = {
    ...given,
    owner,
    fresh: (options) => openWorld(owner, options),
    async attempt(what, work) {
      score.tries += 1;
      let brokenAtMs = performance.now();
      try {
        await work(() => {
          brokenAtMs = performance.now();
        });
        const tookMs = performance.now() - brokenAtMs;
        score.worstMs = Math.max(score.worstMs, tookMs);
        say(`  ${what}: well again after ${seconds(tookMs)}`);
      } catch (error) {
        failures.push(`${what}: ${messageOf(error)}`);
        say(`  ${what}: FAILED: ${messageOf(error)}`);
      }
    },
    async audit(world, { previews } = { previews: false }) {
      const found = [...(await auditWorld(world)), ...(previews ? await previewStacks(world) : [])];
      for (const leak of found) say(`  LEAK: ${leak}`);
      leaks.push(...found);
    },
  };
  try {
    await fault.run(bench);
  } catch (error) {
    if (error instanceof CannotBreak) score.skipped = error.message;
    else failures.push(messageOf(error));
    say(`  ${error instanceof CannotBreak ? 'left out' : 'FAILED'}: ${messageOf(error)}`);
  }
  owner.passed = failures.length === 0;
  await owner.end().catch((error) => failures.push(`taking down: ${messageOf(error)}`));
  return { name: fault.name, ...score, leaks, failures };
}

interface EndingOwner extends ServiceOwner {
  passed: boolean;
  end(): Promise<void>;
}

function createOwner(say: (text: string) => void): EndingOwner {
  const actions: (() => void | PromiseLike<void>)[] = [];
  const owner: EndingOwner = {
    passed: true,
    // Of a service's output, what it warns of.
    log: (text) => {
      for (const line of text.split('\n').filter((each) => /"level":[456]0/.test(each)))
        say(`  ${line}`);
    },
    teardown(action) {
      actions.push(action as () => void | PromiseLike<void>);
    },
    async end() {
      for (let action = actions.pop(); action; action = actions.pop()) await action();
      owners.delete(owner);
    },
  };
  owners.add(owner);
  return owner;
}

/** The table of docs/reliability.md. */
export function renderTable(scores: readonly Score[]): string {
  const lines = scores.map(({ name, tries, worstMs, leaks, failures, skipped }) => {
    const outcome = skipped ? `left out: ${skipped}` : String(failures.length);
    return `| ${name} | ${tries} | ${outcome} | ${seconds(worstMs)} | ${leaks.length} |`;
  });
  return [
    '| Fault | Tries | Failed | Worst recovery | Leaks |',
    '|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
