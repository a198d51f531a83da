/** Work that takes turns: so many pieces at once, so many that wait, and no more. */

interface TurnLimits {
  readonly runningMax: number;
  readonly waitingMax: number;
  /** What is thrown where too many wait. */
  readonly refuse: () => Error;
}

/** Makes a queue; what it gives runs a piece of work when its turn has come. @throws what `refuse` gives. */
export function createTurns({
  runningMax,
  waitingMax,
  refuse,
}: TurnLimits): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= runningMax) {
      if (waiting.length >= waitingMax) throw refuse();
      // Whoever ends hands its place on, so nobody slips in between.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
