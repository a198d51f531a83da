import { containerRule, type ResourceProperties } from './rule.ts';

/** Docker takes -1 for no bound. */
const bounded = /^[1-9]\d*[kmg]?$/i;

/** A log without bounds fills the host's disk. */
export const logRotation = containerRule(
  'log-rotation',
  "The container's log is rotated: a size and a number of files are set.",
  ({ logDriver, logOpts }) => {
    if (logDriver !== 'json-file' && logDriver !== 'local') {
      return [`logDriver is ${logDriver ?? 'not set'}: use json-file or local with rotation.`];
    }
    const options = (logOpts ?? {}) as ResourceProperties;
    return ['max-size', 'max-file']
      .filter((name) => !bounded.test(String(options[name] ?? '')))
      .map((name) => `logOpts has no bounded ${name}: the log would grow without end.`);
  },
);
