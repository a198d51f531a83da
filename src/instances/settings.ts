/** The settings of an instance: what a running Redis takes without a restart. */
import type { Instance } from '../store/entities/instance.ts';

export type Settings = Pick<Instance, 'maxMemoryBytes' | 'evictionPolicy' | 'persistence'>;

/** Whether two settings are the same. */
export function sameSettings(one: Settings, other: Settings): boolean {
  return (
    one.maxMemoryBytes === other.maxMemoryBytes &&
    one.evictionPolicy === other.evictionPolicy &&
    one.persistence === other.persistence
  );
}

/** The settings that were last made real; undefined before the first time. */
export function appliedSettings(instance: Instance): Settings | undefined {
  const {
    appliedMaxMemoryBytes: maxMemoryBytes,
    appliedEvictionPolicy: evictionPolicy,
    appliedPersistence: persistence,
  } = instance;
  const isKnown =
    typeof maxMemoryBytes === 'number' &&
    typeof evictionPolicy === 'string' &&
    typeof persistence === 'boolean';
  return isKnown ? { maxMemoryBytes, evictionPolicy, persistence } : undefined;
}

/** The columns that say: these settings are real. */
export function asApplied({ maxMemoryBytes, evictionPolicy, persistence }: Settings) {
  return {
    appliedMaxMemoryBytes: maxMemoryBytes,
    appliedEvictionPolicy: evictionPolicy,
    appliedPersistence: persistence,
  };
}
