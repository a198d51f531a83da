import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { rootDir } from '../../../src/config.ts';
import { locateProject, prepareProject } from '../../../src/provisioning/project.ts';
import { temporaryFolder } from '../../support/folders.ts';

interface ProjectFile {
  name: string;
  main: string;
  stackConfigDir: string;
  runtime: unknown;
  backend: { url: string };
  plugins: { providers: { name: string; path: string }[] };
}

const readProject = (dir: string): ProjectFile => {
  return parse(readFileSync(join(dir, 'Pulumi.yaml'), 'utf8'));
};

test('the default data directory belongs to the repository itself', (t) => {
  t.deepEqual(locateProject({ dataDir: join(rootDir, '.swiftcache') }), {
    dir: rootDir,
    stacksDir: join(rootDir, 'stacks'),
  });
});

test('another data directory has a project of its own in it', (t) => {
  t.deepEqual(locateProject({ dataDir: '/var/lib/else' }), {
    dir: '/var/lib/else/project',
    stacksDir: '/var/lib/else/project/stacks',
  });
});

test('that project runs the same program, with its own backend and the same plugin', (t) => {
  const dataDir = temporaryFolder(t);
  const stateBackendUrl = `file://${dataDir}/pulumi`;
  const { dir, stacksDir } = prepareProject({ dataDir, stateBackendUrl });
  const project = readProject(dir);
  const base = readProject(rootDir);
  t.is(project.name, base.name);
  t.deepEqual(project.runtime, base.runtime);
  t.is(resolve(dir, project.stackConfigDir), stacksDir);
  t.is(resolve(dir, project.main), resolve(rootDir, base.main));
  t.true(existsSync(resolve(dir, project.main)));
  t.is(project.backend.url, stateBackendUrl);
  t.is(project.plugins.providers.length, base.plugins.providers.length);
  for (const { path } of project.plugins.providers) {
    t.true(isAbsolute(path));
    t.true(existsSync(path));
  }
});

test("the stacks' folder is its owner's only, and preparing twice is harmless", (t) => {
  const dataDir = temporaryFolder(t);
  const config = { dataDir, stateBackendUrl: `file://${dataDir}/pulumi` };
  const { dir, stacksDir } = prepareProject(config);
  const before = readFileSync(join(dir, 'Pulumi.yaml'), 'utf8');
  prepareProject(config);
  t.is(readFileSync(join(dir, 'Pulumi.yaml'), 'utf8'), before);
  t.is(statSync(stacksDir).mode & 0o777, 0o700);
});

test("two data directories share neither stacks' files nor a backend", (t) => {
  const projects = [temporaryFolder(t), temporaryFolder(t)].map((dataDir) => {
    return prepareProject({ dataDir, stateBackendUrl: `file://${dataDir}/pulumi` });
  });
  t.not(projects[0]?.stacksDir, projects[1]?.stacksDir);
  t.notDeepEqual(
    readProject(projects[0]?.dir ?? '').backend,
    readProject(projects[1]?.dir ?? '').backend,
  );
});

test('who reads the project while it is prepared again sees the old file or the new, never a part', (t) => {
  const dataDir = temporaryFolder(t);
  const { dir } = prepareProject({ dataDir, stateBackendUrl: `file://${dataDir}/pulumi` });
  const path = join(dir, 'Pulumi.yaml');
  const before = readFileSync(path, 'utf8');
  const open = openSync(path, 'r');
  t.teardown(() => closeSync(open));
  const { ino, mtimeMs } = statSync(path);
  prepareProject({ dataDir, stateBackendUrl: `file://${dataDir}/pulumi` });
  t.like(statSync(path), { ino, mtimeMs }, 'the same is not written again');
  prepareProject({ dataDir, stateBackendUrl: `file://${dataDir}/elsewhere` });
  t.not(readFileSync(path, 'utf8'), before);
  t.is(readFileSync(open, 'utf8'), before, 'the old file is whole for who has it open');
  t.deepEqual(readdirSync(dir).sort(), ['Pulumi.yaml', 'stacks']);
});
