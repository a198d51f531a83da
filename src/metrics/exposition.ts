/** Prometheus's text format, version 0.0.4, as far as the service's own metrics need it. */

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = Readonly<Record<string, string>>;

/** One number; of a histogram, `suffix` says which: `_bucket`, `_sum` or `_count`. */
export interface Sample {
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels?: Labels;
  readonly value: number;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

/**
 * Gives the samples of one histogram.
 * @param counts how many values fell in each bucket, not summed up; one more than there are bounds.
 */
export function listHistogram(
  labels: Labels,
  bounds: readonly number[],
  { counts, sum }: { readonly counts: readonly number[]; readonly sum: number },
): Sample[] {
  let total = 0;
  const buckets = counts.map((count, index): Sample => {
    total += count;
    const le = index < bounds.length ? String(bounds[index]) : '+Inf';
    return { suffix: '_bucket', labels: { ...labels, le }, value: total };
  });
  return [
    ...buckets,
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: total },
  ];
}

/** Writes metrics as a scraper reads them. */
export function writeExposition(metrics: readonly Metric[]): string {
  return metrics.map(writeMetric).join('');
}

function writeMetric({ name, help, type, samples }: Metric): string {
  const lines = samples.map(({ suffix = '', labels = {}, value }) => {
    return `${name}${suffix}${writeLabels(labels)} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function writeLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function listSamples(record: Readonly<Record<string, number>>, label: string): Sample[] {
  return Object.entries(record).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

/** Gives a counter that counts by name, each under its own as the value of a label. */
export function listCounts(
  name: string,
  help: string,
  { counts, label }: { readonly counts: Readonly<Record<string, number>>; readonly label: string },
): Metric {
  return { name, help, type: 'counter', samples: listSamples(counts, label) };
}

/** Gives a gauge for each name, e.g. `own_connections`, which is its help, too. */
export function listGauges(prefix: string, gauges: Readonly<Record<string, number>>): Metric[] {
  return Object.entries(gauges).map(([name, value]) => ({
    name: `${prefix}${name}`,
    help: `${name.replaceAll('_', ' ')}, at this moment.`,
    type: 'gauge',
    samples: [{ value }],
  }));
}

/** Adds up numbers of the same names. */
export function addRecords(
  records: readonly Readonly<Record<string, number>>[],
): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

/** Adds up the numbers of lists that are equally long, each with those in its place. */
export function addLists(lists: readonly (readonly number[])[]): number[] {
  const [first = [], ...others] = lists;
  return first.map((value, index) => others.reduce((sum, list) => sum + (list[index] ?? 0), value));
}
