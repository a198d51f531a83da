/** A sleep that can be cut short. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Alarm {
  /** Ends the present sleep, or the next. */
  ring(): void;
  /** Sleeps, and where somebody rang, only for the shorter time from then on: they come in numbers. */
  sleep(ms: number, rungMs: number): Promise<void>;
}

/** An alarm that sleeps no longer once the signal aborts. */
export function createAlarm(signal: AbortSignal): Alarm {
  let isRung = false;
  let end = (): void => {};
  const isOver = (): boolean => isRung || signal.aborted;
  signal.addEventListener('abort', () => end(), { once: true });
  return {
    ring() {
      isRung = true;
      end();
    },
    async sleep(ms, rungMs) {
      if (!isOver()) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, ms);
        end = resolve;
        await promise;
        clearTimeout(timer);
      }
      if (isRung) await sleep(rungMs, undefined, { signal }).catch(() => {});
      isRung = false;
    },
  };
}
