/** What all links of one instance count together: commands that wait, their bytes, and its failures. */
import type { AppError } from '../../lib/errors.ts';
import { tooBusy } from '../failures.ts';
import type { LinkBounds } from './bounds.ts';
import { type Breaker, createBreaker } from './breaker.ts';

export interface InstanceLoad {
  readonly breaker: Breaker;
  /** @throws {AppError} 503 where as much waits as may. */
  checkRoom(): void;
  add(commands: number, bytes: number): void;
  remove(commands: number, bytes: number): void;
}

/** Makes the load of an instance nothing was asked of yet. */
export function createInstanceLoad(bounds: LinkBounds): InstanceLoad {
  let commandsInFlight = 0;
  let bytesInFlight = 0;
  return {
    breaker: createBreaker(bounds),
    checkRoom() {
      const isFull =
        commandsInFlight >= bounds.instanceInFlightMax ||
        bytesInFlight >= bounds.instanceBytesInFlightMax;
      if (isFull) throw tooBusy('Too much is waiting for this instance');
    },
    add(commands, bytes) {
      commandsInFlight += commands;
      bytesInFlight += bytes;
    },
    remove(commands, bytes) {
      commandsInFlight -= commands;
      bytesInFlight -= bytes;
    },
  };
}

/** Notes why a connection could not be opened: a Redis that refuses somebody does answer. */
export function noteOpening({ breaker }: InstanceLoad, reason: AppError): void {
  if (reason.code === 'internal_error') breaker.noteFailure();
  else breaker.noteAnswer();
}
