import { containerRule, listOf } from './rule.ts';

const dataPath = '/data';

/** An anonymous volume goes with its container, and with it every key. */
export const dataVolume = containerRule(
  'data-volume',
  'A named volume is mounted, writable, at /data.',
  ({ volumes }) => {
    const data = listOf(volumes).find(({ containerPath }) => containerPath === dataPath);
    if (!data?.volumeName) return [`no named volume is mounted at ${dataPath}.`];
    return data.readOnly === true ? [`the volume at ${dataPath} is read-only.`] : [];
  },
);
