/**
 * What is otherwise than an instance's row says: a pure comparison of the row with what was seen.
 *
 * It judges settled rows only, so wanted and applied are the same, and it says each difference in a plain
 * sentence for the instance's owner and the audit log. Values of settings are no secrets.
 */
import { liveParameters } from '../../../infra/live-settings.ts';
import { containerMemoryMib } from '../../../infra/sizing.ts';
import { type DriftKind, lostData } from '../../instances/drift.ts';
import type { Instance } from '../../store/entities/instance.ts';
import type { ContainerLimits, ListedContainer } from './look-at-docker.ts';

export interface Difference {
  readonly kind: DriftKind;
  readonly detail: string;
}

/** What was seen of one instance; undefined where it was not there, or not looked at. */
export interface Sight {
  readonly container: ListedContainer | undefined;
  readonly volumeCreatedAt: Date | undefined;
  readonly limits: ContainerLimits | undefined;
  /** Redis's live parameters. */
  readonly parameters: Readonly<Record<string, string | undefined>> | undefined;
}

export type Recorded = Pick<
  Instance,
  'power' | 'maxMemoryBytes' | 'evictionPolicy' | 'persistence' | 'appliedPersistence' | 'drift'
>;

const bytesPerMib = 1024 * 1024;
const restartPolicy = 'unless-stopped';
/** What the clocks of two hosts may differ by. */
const clockMarginMs = 60_000;

/** Gives every difference, the gravest first; what is noted and was not looked at again is one still. */
export function compare(row: Recorded, sight: Sight): Difference[] {
  return [
    ...compareVolume(row, sight),
    ...compareContainer(row, sight),
    ...(sight.container && sight.limits ? compareLimits(row, sight.limits) : []),
    ...(sight.parameters ? compareParameters(row, sight.parameters) : []),
    ...listUnseen(row, sight),
  ];
}

/** Whether all was looked at: only then does it say something that nothing differs. */
export function isSeenWhole({ power }: Recorded, { limits, parameters }: Sight): boolean {
  return limits !== undefined && (power === 'off' || parameters !== undefined);
}

/** Of a container that is gone nothing is left to be looked at. */
function listUnseen({ drift }: Recorded, { container, limits, parameters }: Sight): Difference[] {
  if (!container) return [];
  const isUnseen = { limits_changed: !limits, settings_changed: !parameters } as const;
  return drift.flatMap(({ kind, detail }) => {
    if (kind !== 'limits_changed' && kind !== 'settings_changed') return [];
    return isUnseen[kind] ? [{ kind, detail }] : [];
  });
}

/**
 * Where the volume was missed before, one that was made since is not it, whoever made it. One that is older
 * is: Docker did not have it for a while, e.g. because it was started with another folder.
 */
function compareVolume(row: Recorded, { volumeCreatedAt }: Sight): Difference[] {
  const missed = row.drift.find(({ kind }) => kind === 'data_volume_missing');
  const lastMs = missed ? Date.parse(missed.since) - clockMarginMs : Number.POSITIVE_INFINITY;
  if (volumeCreatedAt && volumeCreatedAt.getTime() < lastMs) return [];
  if (!row.appliedPersistence) {
    const detail = 'Its volume is gone; it promises no data, so an empty one may take its place.';
    return [{ kind: 'volume_missing', detail }];
  }
  return [lostData];
}

function compareContainer({ power }: Recorded, { container }: Sight): Difference[] {
  if (!container) return [{ kind: 'container_missing', detail: 'Its container is gone.' }];
  const { state } = container;
  // Docker is at it: the next look sees what came of it.
  if (state === 'removing') return [];
  if (state === 'paused') return [{ kind: 'container_paused', detail: 'Its container is paused.' }];
  if (power === 'on' && state !== 'running') {
    return [{ kind: 'container_stopped', detail: `Its container does not run; it is ${state}.` }];
  }
  if (power === 'off' && state === 'running') {
    const detail = 'Its container runs though it is to be stopped.';
    return [{ kind: 'container_started', detail }];
  }
  return [];
}

function compareLimits(row: Recorded, limits: ContainerLimits): Difference[] {
  const wantedBytes = containerMemoryMib(row.maxMemoryBytes, row.persistence) * bytesPerMib;
  const { memoryBytes, memorySwapBytes } = limits;
  const differences: string[] = [];
  if (memoryBytes !== wantedBytes) {
    differences.push(`its memory limit is ${inMib(memoryBytes)} instead of ${inMib(wantedBytes)}`);
  }
  // Hosts that do not account for swap give -1 or 0 whatever they were told.
  if (memorySwapBytes > 0 && memorySwapBytes !== wantedBytes) {
    differences.push(
      `its limit with swap is ${inMib(memorySwapBytes)} instead of ${inMib(wantedBytes)}`,
    );
  }
  if (limits.restartPolicy !== restartPolicy) {
    differences.push(`its restart policy is ${limits.restartPolicy} instead of ${restartPolicy}`);
  }
  return toDifference('limits_changed', 'Its container was changed', differences);
}

function compareParameters(
  row: Recorded,
  parameters: NonNullable<Sight['parameters']>,
): Difference[] {
  const differences = Object.entries(liveParameters(row)).flatMap(([name, wanted]) => {
    const live = parameters[name];
    return live === wanted ? [] : [`${name} is ${quote(live)} instead of ${quote(wanted)}`];
  });
  return toDifference('settings_changed', "Redis's settings were changed", differences);
}

function toDifference(kind: DriftKind, what: string, differences: readonly string[]): Difference[] {
  return differences.length === 0 ? [] : [{ kind, detail: `${what}: ${differences.join(', ')}.` }];
}

function inMib(bytes: number): string {
  return bytes === 0 ? 'none' : `${Math.round((bytes / bytesPerMib) * 10) / 10} MiB`;
}

function quote(value: string | undefined): string {
  return value === undefined || value === '' ? '""' : value;
}
