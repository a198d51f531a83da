/** Fetches Debian packages with all libraries they need, and unpacks them without installing. */
import fs from 'node:fs/promises';
import path from 'node:path';

const depends = [
  'depends',
  '--no-recommends',
  '--no-suggests',
  '--no-conflicts',
  '--no-breaks',
  '--no-replaces',
  '--no-enhances',
];

/**
 * Downloads the packages and the libraries below them and unpacks all into `root`.
 *
 * @returns {Promise<Record<string, string>>} the version of each package, by its name.
 */
export async function extractPackages({ packages, workDir, root, run }) {
  const names = await listWithLibraries(packages, run);
  // apt would hand the download to a user who may not write here; root already is who we are.
  await run('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', ...names], { cwd: workDir });

  const versions = {};
  const files = (await fs.readdir(workDir)).filter((file) => file.endsWith('.deb')).sort();
  for (const file of files) {
    const archive = path.join(workDir, file);
    await run('dpkg-deb', ['-x', archive, root]);
    const [name, version] = (await run('dpkg-deb', ['-W', archive])).trim().split('\t');
    versions[name] = version;
  }
  return versions;
}

/**
 * Asks the unpacked loader itself which libraries the programs need, so that nothing of the
 * machine's own libraries gets into the answer.
 *
 * @returns {Promise<{loader: {name: string, file: string}, libraries: {name: string,
 *   file: string}[]}>} the loader with the path programs expect it at.
 * @throws {Error} when a library is in none of the packages.
 */
export async function findLibraries({ root, programs, run }) {
  const files = await listFiles(root);
  const loaderFile = files.find((file) => /^ld-linux[^/]*\.so\.\d+$/.test(path.basename(file)));
  if (!loaderFile) throw new Error('No dynamic loader came out of the package libc6.');
  const folders = [...new Set(files.filter((file) => /\.so(\.|$)/.test(file)).map(path.dirname))];

  const libraries = new Map();
  let interpreter;
  for (const program of programs) {
    const arguments_ = ['--library-path', folders.join(':'), '--list', program];
    for (const line of (await run(loaderFile, arguments_)).split('\n')) {
      const [, name, target] = /^\s*(\S+) => (.+?)(?: \(0x[0-9a-f]+\))?$/.exec(line) ?? [];
      if (!name) continue;
      if (!target.startsWith(root)) throw new Error(`${name}, which ${program} needs: ${target}`);
      if (name.startsWith('/')) interpreter = name;
      else libraries.set(name, target);
    }
  }
  if (!interpreter) throw new Error(`${programs[0]} names no dynamic loader.`);
  return {
    loader: { name: interpreter.slice(1), file: loaderFile },
    libraries: [...libraries].map(([name, file]) => ({ name, file })),
  };
}

async function listWithLibraries(packages, run) {
  const names = new Set(packages);
  for (let frontier = packages; frontier.length > 0; ) {
    const answer = await run('apt-cache', [...depends, ...frontier]);
    // Of everything else a package depends on (scripts, service managers), a container has no use.
    const found = [...answer.matchAll(/^ *\|?(?:Pre)?Depends: (lib\S+)$/gm)].map(
      ([, name]) => name,
    );
    frontier = [...new Set(found)].filter((name) => !names.has(name));
    for (const name of frontier) names.add(name);
  }
  return [...names].sort();
}

async function listFiles(folder) {
  const entries = await fs.readdir(folder, { withFileTypes: true });
  const nested = await Promise.all(
    entries.map((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? listFiles(file) : [file];
    }),
  );
  return nested.flat().sort();
}
