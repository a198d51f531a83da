/**
 * Schemathesis makes requests from /openapi.json, good and bad ones, and finds no answer that is against
 * it, no fault, nothing taken that should be refused or refused that should be taken.
 *
 * The API runs in this process over the embedded database, with what is wanted coming true at once: a
 * create would else cost a container each. The commands under /redis/ are not part of that API and have
 * their own tests of bad input (test/unit/gateway). Streams of events end with their operation, so they
 * are asked for too.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { rootDir } from '../../src/config.ts';
import { startApi } from '../support/api.ts';
import { addThings } from '../support/authorization/things.ts';
import { openTestDatabase } from '../support/databases.ts';
import { addAccountKey, addPerson } from '../support/people.ts';
import { settleEverything } from '../support/settle.ts';

const run = promisify(execFile);
const version = '4.32.5';
const examplesPerOperation = '100';
const timeoutMs = 10 * 60_000;
/** The gate must not fail by chance: `SEED=2 npx ava test/contract/schemathesis.test.ts` looks further. */
const seed = process.env.SEED ?? '1';

const packages = join(rootDir, '.setup/python-schemathesis');
const ownDir = join(rootDir, 'test/contract/schemathesis');
const program = ['-m', 'schemathesis.cli'];
const environment = {
  ...process.env,
  PYTHONPATH: packages,
  PYTHONDONTWRITEBYTECODE: '1',
  SCHEMATHESIS_HOOKS: join(ownDir, 'hooks.py'),
};

/** Puts Schemathesis into a folder of its own; false where this machine has no Python ≥ 3.10 with pip. */
function provideSchemathesis(): boolean {
  const install = ['-m', 'pip', 'install', '-q', '--target', packages, `schemathesis==${version}`];
  for (const attempt of [
    () => {},
    () => execFileSync('python3', install, { timeout: 240_000, stdio: 'pipe' }),
  ]) {
    try {
      attempt();
      execFileSync('python3', [...program, '--version'], { env: environment, stdio: 'pipe' });
      return true;
    } catch {
      // Not there yet, or not to be had here.
    }
  }
  return false;
}

const isThere = provideSchemathesis();
if (!isThere)
  test.skip('Schemathesis needs Python 3.10 or newer with pip, which is not here', () => {});
const testWithPython = isThere ? test.serial : test.skip;

testWithPython(
  'no request that Schemathesis makes up gets an answer against the document',
  async (t) => {
    t.timeout(timeoutMs);
    const orm = await openTestDatabase(t);
    const settling: Promise<void>[] = [];
    const api = await startApi(t, orm, {
      provisioner: { wake: () => void settling.push(settleEverything(orm, new Date())) },
    });
    const { organizationId } = api.owner;
    const { userId } = await addPerson(orm, { [organizationId]: 'owner' });
    const { secret } = await addAccountKey(orm, { organizationId: null, userId, role: 'owner' });
    const dir = mkdtempSync(join(tmpdir(), 'swiftcache-schemathesis-'));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    const things = JSON.stringify(await addManyThings(orm, organizationId));
    const startedMs = performance.now();
    const { code, output } = await runSchemathesis(api.url, secret, dir, things);
    await Promise.all(settling);
    t.log(`${Math.round((performance.now() - startedMs) / 1000)} s, seed ${seed}`);
    t.log(output.slice(output.indexOf('=== SUMMARY')).trim());
    t.is(code, 0, output.slice(-20_000));
    t.regex(output, /Tested: +\d\d/);
  },
);

const thingsOfEach = 4;

/** Ids by the name of the parameter that they are for. */
async function addManyThings(
  orm: Parameters<typeof addThings>[0],
  organizationId: string,
): Promise<Record<string, string[]>> {
  const ids: Record<string, string[]> = { organizationId: [organizationId] };
  const add = (name: string, ...more: string[]): void => {
    ids[name] = [...(ids[name] ?? []), ...more];
  };
  for (let round = 0; round < thingsOfEach; round += 1) {
    const things = await addThings(orm, organizationId);
    add('instanceId', things.instanceId, things.runningInstanceId, things.stoppedInstanceId);
    add('operationId', things.operationId);
    add('backupId', things.backupId, things.failedBackupId);
    add('fromBackup', things.backupId);
    add('keyId', things.keyId, things.boundKeyId);
    add('accountKeyId', things.accountKeyId);
    add('userId', things.member.userId);
    add('invitationId', things.invitation.id);
    add('secret', things.invitation.secret);
  }
  return ids;
}

async function runSchemathesis(
  url: string,
  key: string,
  dir: string,
  things: string,
): Promise<{ code: number; output: string }> {
  const options = [
    ...['--config-file', join(ownDir, 'schemathesis.toml'), 'run', `${url}/openapi.json`],
    ...['--header', `Authorization: Bearer ${key}`, '--max-examples', examplesPerOperation],
    ...['--phases', 'examples,coverage,fuzzing,stateful', '--checks', 'all', '--workers', '2'],
    ...[
      '--exclude-path-regex',
      '^/redis/',
      '--request-timeout',
      '20',
      '--seed',
      seed,
      '--no-color',
    ],
  ];
  const env = { ...environment, THINGS: things };
  const settings = { cwd: dir, env, timeout: timeoutMs, maxBuffer: 50_000_000 };
  try {
    const { stdout, stderr } = await run('python3', [...program, ...options], settings);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    return { code: typeof code === 'number' ? code : -1, output: `${stdout}${stderr}` };
  }
}
