/** How late this process comes to what is to be done: what it adds to every client, however little it does for each. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolutionMs = 20;
const intervalMs = 10_000;
/** Its histogram counts nanoseconds, and each with the 20 ms that were meant to pass. */
const nsPerMs = 1e6;

export interface LoopDelay {
  /** Seconds: the 99th percentile of the last ten that are over; 0 before. */
  readS(): number;
  stop(): void;
}

export function watchLoopDelay(lookMs = intervalMs): LoopDelay {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  let delayMs = 0;
  delays.enable();
  const looking = setInterval(() => {
    delayMs = Math.max(0, delays.percentile(99) / nsPerMs - resolutionMs);
    delays.reset();
  }, lookMs);
  looking.unref();
  return {
    readS: () => delayMs / 1_000,
    stop() {
      clearInterval(looking);
      delays.disable();
    },
  };
}
