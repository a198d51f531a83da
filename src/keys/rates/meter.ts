/**
 * A meter: what one process spends of one rate.
 *
 * It takes points from the store in advance, a twentieth of the limit at a time, and spends them without
 * asking anybody. Points are good for the store's window of one second and then void. A window's life here:
 * unknown (only the unasked share may be spent) → known (points are taken as needed) → dry (the store has no
 * more), and from any of them to the next window's unknown; `open` and `enter` are the only ways between.
 *
 * Guarantees: spending is synchronous while points are in hand; those who must wait share one question to
 * the store, and wait for three of its answers at most; what is left unspent is at most a twentieth of
 * the limit, or what the last big request asked for.
 */
import { type RateStore, type Reservation, windowMs } from './rate-store.ts';

const batchesPerWindow = 20;
const questionsMax = 3;

export interface Meter {
  readonly limit: number;
  /**
   * Spends `cost` points, at most the whole limit; 0 only asks whether there is one.
   * @returns whether they were there; a promise of it only where the store has to be waited for.
   */
  take(cost: number): boolean | Promise<boolean>;
  /** Tells the window in hand from all others. */
  readWindow(): number;
  /** Returns points that were spent in that window; nothing where it is over. */
  giveBack(cost: number, window: number): void;
  /** Points that are left of this second, as far as is known here. */
  readRemaining(): number;
  /** Milliseconds until the window in hand is over: a second at most. */
  readRestMs(): number;
}

/** @param name whose rate it is, in the store. */
export function createMeter(store: RateStore, name: string, limit: number): Meter {
  const batch = Math.ceil(limit / batchesPerWindow);
  const isRemote = store.unaskedShare > 0;
  const unasked = Math.floor(limit * store.unaskedShare);
  /** Points in hand. */
  let left = 0;
  /** Of those, and of those spent, what the store does not know of. */
  let owed = 0;
  /** By performance.now(); never later than the store's own end of the window. */
  let endMs = 0;
  let window = 0;
  let isKnown = false;
  let isDry = false;
  let remainingElsewhere = limit;
  let waitingCost = 0;
  let question: Promise<void> | undefined;

  /** Begins a window of which the store has said nothing yet. */
  function open(nowMs: number): void {
    window += 1;
    endMs = nowMs + windowMs;
    left = unasked;
    owed = unasked;
    isKnown = false;
    isDry = false;
    remainingElsewhere = limit - unasked;
  }

  /** Enters what the store said into its window; nothing where that is over. */
  function enter(
    { granted, remaining, restMs }: Reservation,
    askedMs: number,
    points: number,
  ): void {
    const saidEndMs = askedMs + restMs;
    if (saidEndMs <= performance.now()) return;
    // The answer may be about the window after the one in hand.
    const isNext = isKnown && saidEndMs > endMs + windowMs / 2;
    if (isNext) window += 1;
    left = isNext ? granted : Math.max(0, left + granted - owed);
    endMs = isKnown && !isNext ? Math.min(endMs, saidEndMs) : saidEndMs;
    owed = 0;
    isKnown = true;
    isDry = granted < points;
    remainingElsewhere = remaining;
  }

  /** Asks for what those who wait need, or a batch; sets `question` where the answer is not there at once. */
  function ask(need: number): void {
    const missing = Math.min(Math.max(need, waitingCost), limit) - left;
    const points = Math.max(missing, batch) + owed;
    const askedMs = performance.now();
    const answer = store.reserve({ name, limit, points });
    if (!(answer instanceof Promise)) {
      enter(answer, askedMs, points);
      return;
    }
    question = answer.then((reservation) => {
      question = undefined;
      enter(reservation, askedMs, points);
    });
  }

  function spend(need: number, cost: number): boolean {
    if (need > left) return false;
    left -= cost;
    return true;
  }

  /** Asks for more; again where a second ended just then. */
  function takeMore(need: number, cost: number): boolean | Promise<boolean> {
    for (let questions = 0; questions < questionsMax; questions += 1) {
      if (!question) ask(need);
      if (question) return waitAndTake(need, cost);
      if (spend(need, cost)) return true;
      if (isDry) return false;
    }
    return false;
  }

  async function waitAndTake(need: number, cost: number): Promise<boolean> {
    waitingCost += need;
    try {
      for (let questions = 0; questions < questionsMax; questions += 1) {
        if (!question) ask(need);
        await question;
        if (performance.now() >= endMs) open(performance.now());
        if (spend(need, cost)) return true;
        if (isDry) return false;
      }
      return false;
    } finally {
      waitingCost -= need;
    }
  }

  return {
    limit,
    take(wanted) {
      const cost = Math.min(wanted, limit);
      const need = Math.max(cost, 1);
      const nowMs = performance.now();
      if (nowMs >= endMs) open(nowMs);
      if (spend(need, cost)) {
        // So that those who come next need not wait.
        const few = isKnown ? batch : unasked;
        if (isRemote && left * 2 < few && !isDry && !question) ask(batch);
        return true;
      }
      return isDry ? false : takeMore(need, cost);
    },
    readWindow: () => window,
    giveBack(cost, spentIn) {
      if (spentIn === window && performance.now() < endMs) left += Math.min(cost, limit);
    },
    readRestMs: () => Math.max(0, endMs - performance.now()),
    readRemaining() {
      return performance.now() < endMs ? left + remainingElsewhere : limit;
    },
  };
}
