/**
 * What an operator's run and the service's rows come to, setting by setting: a three-way merge.
 *
 *   base    what the service last made real
 *   theirs  what the stack's state says its last run made
 *   ours    what the row wants
 *
 * A value in the state that is neither the base nor what the service itself has asked for since (`tried`: its
 * own runs broke off) is an operator's, and is real. It takes the base's place, and is wanted from now on unless
 * the row's owner wants something new of the same setting: that wish is the younger one.
 */
import { type Settings, settingNames } from '../../instances/settings.ts';

export interface MergeInput {
  /** Undefined before the instance was made the first time. */
  readonly applied: Settings | undefined;
  /** What runs were asked for since `applied` was made, none of which is known to have ended well. */
  readonly tried: readonly Settings[];
  readonly wanted: Settings;
  /** What the state says; what it does not say is left out. */
  readonly made: Partial<Settings>;
}

export interface Merged {
  readonly applied: Settings | undefined;
  readonly wanted: Settings;
  /** What the operator changed; empty where nothing. */
  readonly adopted: Partial<Settings>;
}

export function mergeSettings({ applied, tried, wanted, made }: MergeInput): Merged {
  const base = applied ?? tried[0] ?? wanted;
  const isTheirs = (name: keyof Settings): boolean =>
    made[name] !== undefined &&
    made[name] !== base[name] &&
    tried.every((asked) => asked[name] !== made[name]) &&
    made[name] !== wanted[name];
  const theirs = settingNames.filter(isTheirs);
  const adopted: Partial<Settings> = pick(made, theirs);
  const accepted = pick(
    made,
    theirs.filter((name) => wanted[name] === base[name]),
  );
  return {
    applied: applied && { ...applied, ...adopted },
    wanted: { ...wanted, ...accepted },
    adopted,
  };
}

function pick(settings: Partial<Settings>, names: readonly (keyof Settings)[]): Partial<Settings> {
  return Object.fromEntries(names.map((name) => [name, settings[name]]));
}
