/**
 * Looks for the real secrets of a world in every place where one could get to: the log, the data directory
 * with the state and the database, temporary folders, what Docker shows of containers, command lines, the
 * environments of the service's children. A finding names the kind and the place, never the secret.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { prepareDataDirectory } from '../../src/data-directory.ts';
import { createSealer } from '../../src/lib/crypto.ts';
import { listProcesses, withDescendants } from '../support/processes.ts';
import { accountKey } from '../support/service.ts';
import type { World } from './world.ts';

const fileBytesMax = 64 * 1024 * 1024;
/** Where the key material itself is at home. */
const ownFiles = ['master.key', 'passphrase'];

interface Secret {
  readonly kind: string;
  readonly text: string;
}

/** Gives where which kind of secret was found. */
export async function findLeakedSecrets(world: World): Promise<string[]> {
  const { service } = world;
  const secrets = await collectSecrets(world);
  const look = (place: string, text: string): string[] =>
    secrets.filter((each) => text.includes(each.text)).map(({ kind }) => `${kind} in ${place}`);
  const processes = listProcesses();
  const under = withDescendants(processes, service.pid === undefined ? [] : [service.pid]);
  const children = processes.filter(({ pid }) => under.has(pid) && pid !== service.pid);
  return [
    ...look('the log', withoutWelcome(service.output())),
    ...listFiles(service.dataDir, ownFiles).flatMap((file) => look(file, readText(file))),
    ...temporaryFiles().flatMap((file) => look(file, readText(file))),
    ...(await dockerTexts(world)).flatMap(({ place, text }) => look(place, text)),
    ...processes.flatMap(({ pid }) => look(`the command line of ${pid}`, commandLine(pid))),
    ...children.flatMap(({ pid, text }) => look(`the environment of ${pid}`, text)),
  ];
}

/** The first start shows the account key once, ready to paste; nothing else may. */
function withoutWelcome(output: string): string {
  return output.replace(/^(Account key {6}|export SK=)sk_live_\w+$/gm, '');
}

async function collectSecrets(world: World): Promise<Secret[]> {
  const config = loadConfig(world.service.environment);
  const { masterKey, passphrase } = prepareDataDirectory(config);
  const sealer = createSealer(masterKey);
  const passwords = await world.withRows(async (rows) =>
    rows.flatMap(({ id, passwordSealed }) =>
      typeof passwordSealed !== 'string'
        ? []
        : [sealer.open(passwordSealed, `instances/${id}/password`)],
    ),
  );
  return [
    { kind: 'the account key', text: accountKey },
    { kind: 'the master key', text: masterKey.toString('hex') },
    { kind: 'the passphrase', text: passphrase },
    ...passwords.map((text) => ({ kind: "a platform user's password", text })),
    ...[...world.dataKeys].map((text) => ({ kind: 'a data key', text })),
  ];
}

async function dockerTexts({ docker, service }: World): Promise<{ place: string; text: string }[]> {
  const ports = service.environment.SWIFTCACHE_INSTANCE_PORTS;
  const containers = await docker.listContainers({
    all: true,
    filters: { label: ['swiftcache.instance'] },
  });
  return await Promise.all(
    containers.map(async ({ Id, Names }) => {
      const shown = await docker
        .getContainer(Id)
        .inspect()
        .catch(() => ({}));
      return { place: `docker inspect of ${Names[0]} (${ports})`, text: JSON.stringify(shown) };
    }),
  );
}

/** What Pulumi, its providers and the service leave in the temporary folder. */
function temporaryFiles(): string[] {
  const root = tmpdir();
  return readdirSync(root)
    .filter((name) => /^(automation|pulumi|command)/.test(name))
    .flatMap((name) => listFiles(join(root, name), []));
}

function listFiles(path: string, except: readonly string[]): string[] {
  try {
    const facts = lstatSync(path);
    if (facts.isFile()) return facts.size <= fileBytesMax ? [path] : [];
    if (!facts.isDirectory()) return [];
    const names = readdirSync(path).filter((name) => !except.includes(name));
    return names.flatMap((name) => listFiles(join(path, name), []));
  } catch {
    return []; // It went while we looked.
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
