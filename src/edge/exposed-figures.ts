/** The door's figures as metrics. */
import {
  addLists,
  addRecords,
  listCounts,
  listGauges,
  listHistogram,
  type Metric,
} from '../metrics/exposition.ts';
import type { DoorFigures } from './figures.ts';
import { boundsS } from './held-times.ts';

const prefix = 'swiftcache_door_';

type Gauges = Readonly<Record<string, number>>;

/** What a door has counted, and what is open: plain, so that it can be told to another process. */
export interface Figures {
  readonly counters: Readonly<Omit<DoorFigures, 'refusals' | 'handshakeFailures' | 'held'>>;
  readonly refusals: Readonly<DoorFigures['refusals']>;
  readonly handshakeFailures: Readonly<DoorFigures['handshakeFailures']>;
  /** The numbers of a histogram, by what was held. */
  readonly held: Readonly<Record<keyof DoorFigures['held'], readonly number[]>>;
  /** By name: what of several doors is added up, what the largest of counts, and what the smallest. */
  readonly gauges: Gauges;
  readonly peaks: Gauges;
  readonly lows: Gauges;
}

const helps: Readonly<Record<keyof Figures['counters'], readonly [name: string, help: string]>> = {
  accepted: ['accepted_connections_total', 'Connections that were let in to sign in.'],
  opened: ['opened_connections_total', 'Connections that got through to an instance.'],
  commands: ['commands_total', 'Requests of clients that had signed in.'],
  slowed: ['slowed_commands_total', 'Of those, the ones that waited for their rate.'],
  bytesIn: ['received_bytes_total', 'Bytes from clients that had signed in.'],
  bytesOut: ['sent_bytes_total', 'Bytes of instances to clients.'],
  openingSeconds: ['opening_seconds_total', 'Time from sign-ins to connections, in sum.'],
  handshakes: ['tls_handshakes_total', 'TLS handshakes that were done.'],
};

/** Adds up what some doors have counted. */
export function addFigures(doors: readonly Figures[]): Figures {
  return {
    counters: addRecords(doors.map(({ counters }) => counters)) as Figures['counters'],
    refusals: addRecords(doors.map(({ refusals }) => refusals)) as Figures['refusals'],
    handshakeFailures: addRecords(
      doors.map(({ handshakeFailures }) => handshakeFailures),
    ) as Figures['handshakeFailures'],
    held: {
      requests: addLists(doors.map(({ held }) => held.requests)),
      replies: addLists(doors.map(({ held }) => held.replies)),
    },
    gauges: addRecords(doors.map(({ gauges }) => gauges)),
    peaks: pickOfEach(
      doors.map(({ peaks }) => peaks),
      Math.max,
    ),
    lows: pickOfEach(
      doors.map(({ lows }) => lows),
      Math.min,
    ),
  };
}

function pickOfEach(
  records: readonly Gauges[],
  pick: (...values: number[]) => number,
): Record<string, number> {
  const picked: Record<string, number> = {};
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) {
      picked[name] = pick(picked[name] ?? value, value);
    }
  }
  return picked;
}

/** Gives the metrics of a door. */
export function listDoorMetrics(figures: Figures): Metric[] {
  const { counters, refusals, handshakeFailures, held } = figures;
  const named = Object.entries(helps) as [keyof typeof helps, readonly [string, string]][];
  return [
    ...named.map(([counter, [name, help]]): Metric => {
      return {
        name: `${prefix}${name}`,
        help,
        type: 'counter',
        samples: [{ value: counters[counter] }],
      };
    }),
    listCounts(`${prefix}refusals_total`, 'What the door refused or ended, by its reason.', {
      counts: refusals,
      label: 'reason',
    }),
    listCounts(
      `${prefix}tls_handshake_failures_total`,
      'TLS handshakes that failed, by the reason.',
      { counts: handshakeFailures, label: 'reason' },
    ),
    {
      name: `${prefix}held_seconds`,
      help: 'How long some of what came was held, until the socket of the other side had taken it.',
      type: 'histogram',
      samples: Object.entries(held).flatMap(([what, numbers]) => {
        const counts = numbers.slice(0, -1);
        return listHistogram({ what }, boundsS, { counts, sum: numbers.at(-1) ?? 0 });
      }),
    },
    ...listGauges(prefix, { ...figures.gauges, ...figures.peaks, ...figures.lows }),
  ];
}
