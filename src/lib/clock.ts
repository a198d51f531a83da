/** Time as a dependency, so that tests can move it. */
export interface Clock {
  /** The current time; `.getTime()` is milliseconds since the epoch. */
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
