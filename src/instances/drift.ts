/**
 * Drift: what of an instance is known to be otherwise than recorded, though nobody wanted it so.
 *
 * The kinds are written out here, because the API shows them, the reconciler mends by them and the watch
 * (src/provisioning/drift/) finds them. What an operator changes through Pulumi is adopted and never drift.
 */
import type { DriftNote, Instance } from '../store/entities/instance.ts';
import { hasBegunRestore } from './restore-state.ts';

/** Kinds of drift, with what a run must do beside its ordinary steps to mend them. */
export const driftKinds = {
  container_missing: { needsRefresh: true },
  container_stopped: { needsRefresh: false },
  container_paused: { needsRefresh: false },
  /** It runs though it is to be stopped. */
  container_started: { needsRefresh: false },
  /** The state believes the old limits until it is refreshed. */
  limits_changed: { needsRefresh: true },
  settings_changed: { needsRefresh: false },
  /** The volume of an instance that promises no data. */
  volume_missing: { needsRefresh: true },
  /** The volume of a persistent one: nothing but its owner's word may put an empty one in its place. */
  data_volume_missing: { needsRefresh: true },
} as const satisfies Record<string, { needsRefresh: boolean }>;

export type DriftKind = keyof typeof driftKinds;

export const driftPolicies = ['repair', 'report'] as const;

/** Whether Pulumi has to look at what is real before it can mend this. */
export function needsRefresh(notes: readonly DriftNote[]): boolean {
  return notes.some(({ kind }) => driftKinds[kind as DriftKind]?.needsRefresh);
}

/** Whether an instance's data is known to be lost. */
export function dataIsLost({ drift }: Pick<Instance, 'drift'>): boolean {
  return drift.some(({ kind }) => kind === 'data_volume_missing');
}

/**
 * Whether the next run may find an empty volume: somebody has accepted it, or a restore has begun, which
 * fills it before anybody comes in.
 */
export function mayBeginEmpty(
  instance: Pick<
    Instance,
    'emptyVolumeGeneration' | 'restoreBegunGeneration' | 'appliedGeneration'
  >,
): boolean {
  const { emptyVolumeGeneration, appliedGeneration } = instance;
  return emptyVolumeGeneration > appliedGeneration || hasBegunRestore(instance);
}

/** Notes a difference; one that was known before keeps its time. */
export function toNote(
  known: readonly DriftNote[],
  { kind, detail }: { kind: DriftKind; detail: string },
  now: Date,
): DriftNote {
  const since = known.find((note) => note.kind === kind)?.since ?? now.toISOString();
  return { kind, detail, since };
}

/** What is said of a persistent instance whose volume is gone. */
export const lostData = {
  kind: 'data_volume_missing',
  detail:
    'Its data volume is gone, and its data with it. Nothing is put in its place until you say so.',
} as const;
