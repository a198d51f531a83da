/** Several points as one: counters and latencies are sums, memory and clients those of the last. */
import { addGains, type Gain, zero } from './measure-gain.ts';

/** What an instance did within some time, and how it stood at its end. */
export interface Span extends Gain {
  readonly memoryUsed: number;
  readonly clients: number;
}

/** Merges points in the order of their times; undefined for none. */
export function mergePoints(points: readonly Span[]): Span | undefined {
  const last = points.at(-1);
  if (!last) return undefined;
  const { memoryUsed, clients } = last;
  return { ...points.reduce<Gain>(addGains, zero), memoryUsed, clients };
}
