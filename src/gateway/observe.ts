/**
 * What the gateway tells of itself: figures for its operator, and a debug line a request.
 *
 * Guarantees: no name or value of a caller's is in a figure, and of a command no more than its name in a
 * line. The number of figures is fixed. A request costs them two additions and a short search; above the
 * level debug nothing of a line is computed.
 */
import type { ErrorCode } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { findBucket } from '../metrics/histogram.ts';
import type { Exchange } from './answer.ts';
import { type CommandFamily, families, familyOf } from './command-families.ts';
import { isKnownCommand } from './command-table.ts';

/** The upper bounds of the buckets, in milliseconds. */
export const boundsMs = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
] as const;
export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** A histogram's numbers: a count for each bucket, one for what is beyond all, and the sum in ms. */
export const numbersPerHistogram = boundsMs.length + 2;
const sumAt = boundsMs.length + 1;

/** Requests that are named by their kind. */
const batches: ReadonlySet<string> = new Set(['PIPELINE', 'MULTI-EXEC']);

/** Why a request was not answered with a result: a code of the catalogue, or Redis's own "no". */
export type RefusalReason = ErrorCode | 'redis_error';

/** What of a request is looked at. */
export type Observed = Pick<Exchange, 'requestId' | 'startedMs' | 'trace'>;

/** What a process has counted: plain, so that it can be told to another process and added to its own. */
export interface Figures {
  /** For each family, then each status class: a histogram. */
  readonly durations: readonly number[];
  /** By family. */
  readonly commands: Readonly<Record<string, number>>;
  /** By reason. */
  readonly refusals: Readonly<Record<string, number>>;
  /** By name. */
  readonly gauges: Readonly<Record<string, number>>;
}

export interface Observer {
  /** Counts a request whose answer has been given, and writes its line. */
  note(request: Observed, status: number): void;
  read(): Figures;
}

/** @param gauges what is told as it is at the moment, e.g. how many connections there are. */
export function createObserver(
  logger: Pick<Logger, 'debug' | 'isLevelEnabled'>,
  gauges: Readonly<Record<string, () => number>>,
): Observer {
  const durations = new Float64Array(families.length * statusClasses.length * numbersPerHistogram);
  const commands = new Float64Array(families.length);
  const refusals = new Map<RefusalReason, number>();

  return {
    note(request, status) {
      const { startedMs, trace } = request;
      const ms = performance.now() - startedMs;
      const { command } = trace;
      const family = familyNumbers[command === undefined ? 'other' : familyOf(command)];
      const start = histogramAt(family, Math.trunc(status / 100) - 1);
      increase(durations, start + findBucket(boundsMs, ms), 1);
      increase(durations, start + sumAt, ms);
      increase(commands, family, trace.commands ?? (command === undefined ? 0 : 1));
      const refusal = trace.refusal ?? (status >= 400 ? 'redis_error' : undefined);
      if (refusal !== undefined) refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
      if (logger.isLevelEnabled('debug')) logger.debug(describe(request, status, ms), 'command');
    },

    read() {
      const now = Object.entries(gauges).map(([name, read]) => [name, read()] as const);
      return {
        durations: [...durations],
        commands: Object.fromEntries(families.map((name, index) => [name, commands[index] ?? 0])),
        refusals: Object.fromEntries(refusals),
        gauges: Object.fromEntries(now),
      };
    },
  };
}

/** Where the histogram of a family and a status class begins; by their places in the lists above. */
export function histogramAt(family: number, statusClass: number): number {
  return (family * statusClasses.length + statusClass) * numbersPerHistogram;
}

const familyNumbers = Object.fromEntries(
  families.map((family, index) => [family, index]),
) as Readonly<Record<CommandFamily, number>>;

function increase(numbers: Float64Array, index: number, by: number): void {
  numbers[index] = (numbers[index] ?? 0) + by;
}

function describe(
  { requestId, trace }: Observed,
  status: number,
  ms: number,
): Record<string, unknown> {
  const { instanceId, keyId, command, commands, refusal } = trace;
  const name = command === undefined || isLoggable(command) ? command : '(unknown)';
  const tookMs = Math.round(ms * 1_000) / 1_000;
  return { requestId, instanceId, keyId, command: name, commands, ms: tookMs, status, refusal };
}

/** A name is logged only where it is a command's: a misplaced value must not be. */
function isLoggable(command: string): boolean {
  return batches.has(command) || isKnownCommand(command);
}
