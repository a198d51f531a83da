/** The settings of an instance: what its stack's configuration says and a later run may change. */
import type { Instance } from '../store/entities/instance.ts';

export type Settings = Pick<
  Instance,
  'maxMemoryBytes' | 'evictionPolicy' | 'persistence' | 'image'
>;

export const settingNames = ['maxMemoryBytes', 'evictionPolicy', 'persistence', 'image'] as const;

/** The settings among an instance's columns. */
export function settingsOf({
  maxMemoryBytes,
  evictionPolicy,
  persistence,
  image,
}: Settings): Settings {
  return { maxMemoryBytes, evictionPolicy, persistence, image };
}

/** Whether two settings are the same. */
export function sameSettings(one: Settings, other: Settings): boolean {
  return settingNames.every((name) => one[name] === other[name]);
}

/** The settings that were last made real; undefined before the first time. */
export function appliedSettings(instance: Instance): Settings | undefined {
  const {
    appliedMaxMemoryBytes: maxMemoryBytes,
    appliedEvictionPolicy: evictionPolicy,
    appliedPersistence: persistence,
    appliedImage: image,
  } = instance;
  const isKnown =
    typeof maxMemoryBytes === 'number' &&
    typeof evictionPolicy === 'string' &&
    typeof persistence === 'boolean' &&
    typeof image === 'string';
  return isKnown ? { maxMemoryBytes, evictionPolicy, persistence, image } : undefined;
}

/** The columns that say: these settings are real. */
export function asApplied({ maxMemoryBytes, evictionPolicy, persistence, image }: Settings) {
  return {
    appliedMaxMemoryBytes: maxMemoryBytes,
    appliedEvictionPolicy: evictionPolicy,
    appliedPersistence: persistence,
    appliedImage: image,
  };
}
