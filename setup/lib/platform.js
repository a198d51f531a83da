/** The names each publisher gives to an operating system and a processor. */
import process from 'node:process';
import { nodeVersion } from './versions.js';

/**
 * npm's package that holds the Node runtime of a platform.
 *
 * @param {string} [platform] as `process.platform` has it.
 * @param {string} [arch] as `process.arch` has it.
 * @returns {{name: string, range: string}} the package and the version to ask for.
 */
export function nodePackage(platform = process.platform, arch = process.arch) {
  // Someone else owns the plain name for Apple's processors, and not every release is there.
  if (platform === 'darwin') {
    const prefix = arch === 'arm64' ? 'node-bin' : 'node';
    return { name: `${prefix}-darwin-${arch}`, range: '^24.0.0' };
  }
  return { name: `node-${platform === 'win32' ? 'win' : platform}-${arch}`, range: nodeVersion };
}

/**
 * The platform's name in Pulumi's downloads, or undefined where Pulumi offers none.
 *
 * @param {string} [platform]
 * @param {string} [arch]
 * @returns {{command: string, plugin: string} | undefined} as the command line's archives and as
 *   the plugins' archives spell it.
 */
export function pulumiPlatform(platform = process.platform, arch = process.arch) {
  const processor = { x64: 'amd64', arm64: 'arm64' }[arch];
  if (processor === undefined || !['linux', 'darwin'].includes(platform)) return undefined;
  return { command: `${platform}-${arch}`, plugin: `${platform}-${processor}` };
}
