/** The gateway's figures as metrics: those of all its processes added up. */
import {
  addLists,
  addRecords,
  listCounts,
  listGauges,
  listHistogram,
  type Metric,
  type Sample,
} from '../metrics/exposition.ts';
import { families } from './command-families.ts';
import {
  boundsMs,
  type Figures,
  histogramAt,
  numbersPerHistogram,
  statusClasses,
} from './observe.ts';

const prefix = 'swiftcache_gateway_';
const boundsS = boundsMs.map((ms) => ms / 1_000);

/** Adds up what some processes have counted. */
export function addFigures(processes: readonly Figures[]): Figures {
  return {
    durations: addLists(processes.map((figures) => figures.durations)),
    commands: addRecords(processes.map((figures) => figures.commands)),
    refusals: addRecords(processes.map((figures) => figures.refusals)),
    gauges: addRecords(processes.map((figures) => figures.gauges)),
  };
}

/** Gives the metrics of some processes together. */
export function listMetrics(processes: readonly Figures[]): Metric[] {
  const { durations, commands, refusals, gauges } = addFigures(processes);
  return [
    {
      name: `${prefix}request_duration_seconds`,
      help: 'Time from the first byte of a request to its answer; for streams, to their end.',
      type: 'histogram',
      samples: listDurations(durations),
    },
    listCounts(
      `${prefix}commands_total`,
      'Commands, those in pipelines and transactions each counted.',
      { counts: commands, label: 'family' },
    ),
    listCounts(
      `${prefix}refusals_total`,
      'Requests that were answered with an error, by its code.',
      { counts: refusals, label: 'reason' },
    ),
    ...listGauges(prefix, gauges),
  ];
}

/** Those that nothing has fallen in are left out. */
function listDurations(numbers: readonly number[]): Sample[] {
  return families.flatMap((family, familyNumber) =>
    statusClasses.flatMap((status, classNumber) => {
      const start = histogramAt(familyNumber, classNumber);
      const counts = numbers.slice(start, start + numbersPerHistogram - 1);
      const sum = (numbers[start + numbersPerHistogram - 1] ?? 0) / 1_000;
      const isEmpty = counts.every((count) => count === 0);
      return isEmpty ? [] : listHistogram({ family, status }, boundsS, { counts, sum });
    }),
  );
}
