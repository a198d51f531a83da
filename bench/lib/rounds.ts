/**
 * Rivals in turns: each goes first as often as the others, and what counts is the ratio within a round,
 * because what a neighbour takes from the machine, it takes from all of them.
 */

/** Runs each rival once a round; gives the figures of each, by rounds. */
export async function takeTurns<Rival, Figures>(
  rivals: readonly Rival[],
  rounds: number,
  run: (rival: Rival) => Promise<Figures>,
): Promise<Figures[][]> {
  const figures: Figures[][] = rivals.map(() => []);
  for (let turn = 0; turn < rounds * rivals.length; turn += 1) {
    const at = (turn + Math.floor(turn / rivals.length)) % rivals.length;
    const rival = rivals[at];
    if (rival !== undefined) figures[at]?.push(await run(rival));
  }
  return figures;
}

/** The ratio of each round by itself, as the spread of them. */
export function spreadOfRatios(own: readonly number[], others: readonly number[]): string {
  return spread(
    own.map((value, round) => value / (others[round] ?? 0)),
    2,
  );
}

/** The median, with the least and the most. */
export function spread(values: readonly number[], digits: number): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
