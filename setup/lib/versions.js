/** The versions set-up provides, and how versions compare. */

export const pulumiVersion = '3.220.0';
/** That of the npm package `@pulumi/docker`: the two change together. */
export const dockerProviderVersion = '5.2.0';
/** The newest line of Redis under a licence anybody may offer as a service (AGPL). */
export const redisImageName = 'redis:8.2';
/** The first Node that runs TypeScript as it is, without a flag or a warning. */
export const nodeVersionMin = '22.20.0';
export const nodeVersion = '24.21.0';
/** The first Go that fetches, by itself, the newer one a module asks for. */
export const goVersionMin = '1.21';

/**
 * Compares the numbers of two versions; a leading `v` or `go` and whatever follows the numbers
 * are left out, and missing numbers count as 0.
 *
 * @param {string} a
 * @param {string} b
 * @returns {number} below 0 when `a` is older, 0 when they are the same, above 0 when newer.
 * @throws {TypeError} when one of them does not start with a number.
 */
export function compareVersions(a, b) {
  const [left, right] = [readNumbers(a), readNumbers(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function readNumbers(version) {
  const match = /^(?:v|go)?(\d+(?:\.\d+)*)/.exec(version);
  if (match === null) throw new TypeError(`Not a version: ${version}`);
  return match[1].split('.').map(Number);
}
