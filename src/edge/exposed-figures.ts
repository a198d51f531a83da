/** The door's figures as metrics. */
import { listGauges, listSamples, type Metric } from '../metrics/exposition.ts';
import type { DoorFigures } from './figures.ts';

const prefix = 'swiftcache_door_';

/** What a door has counted, and what is open. */
export interface Figures {
  readonly counters: Readonly<Omit<DoorFigures, 'refusals'>>;
  readonly refusals: Readonly<DoorFigures['refusals']>;
  /** By name. */
  readonly gauges: Readonly<Record<string, number>>;
}

const helps: Readonly<Record<keyof Figures['counters'], readonly [name: string, help: string]>> = {
  accepted: ['accepted_connections_total', 'Connections that were let in to sign in.'],
  opened: ['opened_connections_total', 'Connections that got through to an instance.'],
  commands: ['commands_total', 'Requests of clients that had signed in.'],
  slowed: ['slowed_commands_total', 'Of those, the ones that waited for their rate.'],
  bytesIn: ['received_bytes_total', 'Bytes from clients that had signed in.'],
  bytesOut: ['sent_bytes_total', 'Bytes of instances to clients.'],
  openingSeconds: ['opening_seconds_total', 'Time from sign-ins to connections, in sum.'],
};

/** Gives the metrics of a door. */
export function listDoorMetrics({ counters, refusals, gauges }: Figures): Metric[] {
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
    {
      name: `${prefix}refusals_total`,
      help: 'What the door refused or ended, by its reason.',
      type: 'counter',
      samples: listSamples(refusals, 'reason'),
    },
    ...listGauges(prefix, gauges),
  ];
}
