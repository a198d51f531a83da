/** How the tests of a suite ended, on both sides. */

export interface Outcome {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped, or with which words it failed, or what it said. */
  readonly reason: string;
}

/** By the name of the test. */
export type Outcomes = ReadonlyMap<string, Outcome>;

/** A difference that is by design. */
export interface Listed {
  readonly test: RegExp;
  readonly why: string;
}

export interface Difference {
  readonly test: string;
  readonly text: string;
}

/** Gives what ended otherwise through the door than directly, but for what is listed. */
export function compareOutcomes(
  { door, direct }: { door: Outcomes; direct: Outcomes },
  listed: readonly Listed[],
): Difference[] {
  const differences: Difference[] = [];
  for (const test of new Set([...direct.keys(), ...door.keys()])) {
    if (listed.some((row) => row.test.test(test))) continue;
    const [own, theirs] = [describe(door.get(test)), describe(direct.get(test))];
    if (own === theirs) continue;
    differences.push({ test, text: `${test}: ${own}; directly ${theirs}` });
  }
  return differences;
}

function describe(outcome: Outcome | undefined): string {
  if (outcome === undefined) return 'not run';
  return outcome.reason ? `${outcome.outcome}: ${outcome.reason}` : outcome.outcome;
}
