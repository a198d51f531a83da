/**
 * `npm run lock:complete`: adds to package-lock.json the optional packages of other platforms.
 *
 * npm leaves out of the lock what its registry does not offer at that moment, a company's mirror without
 * the packages for macOS, say; and `npm ci` on such a platform then refuses the lock. What is added here
 * are the exact versions that the locked packages ask for. Run it after every `npm install`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const exactVersion = /^\d+\.\d+\.\d+\S*$/;
const platform =
  /(android|darwin|linux|win32|freebsd|openharmony)-(arm64|x64|ia32|ppc64|riscv64|s390x|arm)/;
let added = 0;

for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const isLocked = [`${path}/node_modules/${name}`, `node_modules/${name}`].some(
      (place) => lock.packages[place],
    );
    if (isLocked || !exactVersion.test(version)) continue;
    lock.packages[`node_modules/${name}`] = describe(name, version, entry.dev);
    added += 1;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`package-lock.json: ${added} optional packages of other platforms added\n`);

/** An entry as npm writes it, so far as it is known without asking a registry. */
function describe(name, version, isDevelopment) {
  const [, os, cpu] = platform.exec(name) ?? [];
  return {
    version,
    ...(isDevelopment && { dev: true }),
    optional: true,
    ...(os && { os: [os], cpu: [cpu] }),
    ...(os === 'linux' && { libc: [name.includes('musl') ? 'musl' : 'glibc'] }),
  };
}
