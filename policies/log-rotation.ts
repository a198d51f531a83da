import { containerRule, type ResourceProperties } from './rule.ts';

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
      .filter((name) => !options[name])
      .map((name) => `logOpts has no ${name}: the log would grow without end.`);
  },
);
