/** Work that is done again and again, one round at a time. */

export interface Repeating {
  /** Begins no further round and waits for the one under way. */
  stop(): Promise<void>;
}

/**
 * Runs `round` every `intervalMs` from its last end on. A round that fails is told and does not stop the
 * next. The timer keeps no process alive.
 */
export function startRepeating(
  round: () => Promise<void>,
  { intervalMs, onError }: { intervalMs: number; onError: (error: unknown) => void },
): Repeating {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let stopped = false;
  const schedule = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      running = round().catch(onError).then(schedule);
    }, intervalMs).unref();
  };
  schedule();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
