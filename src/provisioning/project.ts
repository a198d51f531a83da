/**
 * The Pulumi project a service works in: the folder with Pulumi.yaml and the stacks' configuration.
 *
 * A service with the default data directory uses the repository itself, so an operator who stands there
 * sees its stacks. A service with another data directory gets a project folder of its own in it, which
 * points at the same program: two services on one machine never share a stack file or a backend.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { type Config, rootDir } from '../config.ts';
import { replaceFile } from '../lib/replace-file.ts';
import type { WorkerSettings } from './messages.ts';

const defaultDataDir = join(rootDir, '.swiftcache');

export interface PulumiProject {
  /** Where `pulumi` is run. */
  readonly dir: string;
  /** Where Pulumi.<stack>.yaml files are. */
  readonly stacksDir: string;
}

/** Names the project folder of a data directory. */
export function locateProject({ dataDir }: Pick<Config, 'dataDir'>): PulumiProject {
  const dir = dataDir === defaultDataDir ? rootDir : join(dataDir, 'project');
  return { dir, stacksDir: join(dir, 'stacks') };
}

/** Makes the project folder ready; the repository's own needs nothing but its stacks folder. */
export function prepareProject(config: Pick<Config, 'dataDir' | 'stateBackendUrl'>): PulumiProject {
  const project = locateProject(config);
  mkdirSync(project.stacksDir, { recursive: true, mode: 0o700 });
  if (project.dir !== rootDir) {
    const path = join(project.dir, 'Pulumi.yaml');
    const yaml = derivedProject(project.dir, config.stateBackendUrl);
    // Another server's runs, or an operator's, may be reading it.
    if (readIfThere(path) !== yaml) replaceFile(path, yaml);
  }
  return project;
}

/** Makes the project folder ready, and says what every run in it needs to know. */
export function prepareWorkerSettings(config: Config): WorkerSettings {
  const project = prepareProject(config);
  return {
    projectDir: project.dir,
    stacksDir: project.stacksDir,
    backendUrl: config.stateBackendUrl,
    passphraseFile: config.passphraseFile,
    pulumiHome: config.pulumi.home,
    pulumiBinDir: config.pulumi.binDir,
    dockerHost: config.dockerHost,
  };
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** The repository's Pulumi.yaml with its paths and its backend made to fit another folder. */
function derivedProject(dir: string, backendUrl: string): string {
  const base = parse(readFileSync(join(rootDir, 'Pulumi.yaml'), 'utf8')) as {
    main: string;
    plugins: { providers: { name: string; path: string }[] };
  };
  return stringify({
    ...base,
    main: relative(dir, join(rootDir, base.main)),
    // An address with a password in it stays in the environment (PULUMI_BACKEND_URL), which comes first.
    backend: backendUrl.startsWith('file://') ? { url: backendUrl } : undefined,
    plugins: {
      providers: base.plugins.providers.map(({ name, path }) => {
        return { name, path: join(rootDir, path) };
      }),
    },
  });
}
