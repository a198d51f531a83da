/**
 * What an operator has set with `pulumi config set` and not brought up yet: it goes along with the service's
 * next run, which would write over it otherwise.
 *
 * Only what changes live goes along, and only what is within the plans' bounds. Another image would stop the
 * instance at a moment that nobody chose, and what the policies refuse would fail each run of the service:
 * there the service's own value is written, and it is said so.
 */
import { evictionPolicies } from '../../instances/eviction-policies.ts';
import { widestMemoryBounds } from '../../instances/plans.ts';
import { type Settings, settingNames } from '../../instances/settings.ts';

export interface PendingConfig {
  readonly accepted: Partial<Settings>;
  /** The names of those that the service sets back. */
  readonly refused: readonly string[];
}

/**
 * @param config the file's values by their full keys; empty where the file is not newer than the state.
 * @param known what the service itself has written or found to be made: none of that is pending.
 */
export function judgePending(
  config: Readonly<Record<string, unknown>>,
  known: readonly Partial<Settings>[],
): PendingConfig {
  const textOf = (name: keyof Settings): string | undefined => {
    const value = config[`swiftcache:${name}`];
    return value === undefined ? undefined : String(value);
  };
  const pending = settingNames.filter((name) => {
    const text = textOf(name);
    return text !== undefined && known.every((settings) => String(settings[name]) !== text);
  });
  const read = pending.map((name) => [name, parsers[name](textOf(name) ?? '')] as const);
  return {
    accepted: Object.fromEntries(read.filter(([, value]) => value !== undefined)),
    refused: read.filter(([, value]) => value === undefined).map(([name]) => name),
  };
}

/** Each gives undefined for what the service does not make of its own accord. */
const parsers: { readonly [Name in keyof Settings]: (text: string) => Settings[Name] | undefined } =
  {
    maxMemoryBytes(text) {
      const { minBytes, maxBytes } = widestMemoryBounds();
      const bytes = Number(text);
      return Number.isSafeInteger(bytes) && bytes >= minBytes && bytes <= maxBytes
        ? bytes
        : undefined;
    },
    evictionPolicy: (text) => evictionPolicies.find((policy) => policy === text),
    persistence: (text) => [true, false].find((value) => String(value) === text),
    image: () => undefined,
  };
