/** The service itself: lost with its machine's disk, and brought back from its archive. */
import { execFile } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { removeInstallationObjects } from '../../scripts/installation-objects.ts';
import { loadConfig, rootDir } from '../../src/config.ts';
import { pollUntil } from '../../src/lib/retry.ts';
import { postgresLocation } from '../support/databases.ts';
import { listVolumesOf } from '../support/docker.ts';
import { temporaryFolder } from '../support/folders.ts';
import { runPulumi } from '../support/pulumi.ts';
import {
  awaitOperation,
  createRunningInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

const run = promisify(execFile);
/** Each archive takes its seconds to open, on purpose. */
const timeoutMs = 5 * 60_000;

test.serial(
  'a service that is lost is restored, and finds its running instances again',
  async (t) => {
    t.timeout(timeoutMs);
    const service = await startTestService(t);
    const [kept, forgetful, gone] = await Promise.all([
      createRunningInstance(service, { persistence: true }),
      createRunningInstance(service),
      createRunningInstance(service, { persistence: true }),
    ]);
    for (const instance of [kept, forgetful]) {
      await withRedis(instance, (redis) => redis.set('whose', instance.id));
    }
    const folder = temporaryFolder(t);
    const archive = join(folder, 'service.age');
    const passphraseFile = join(folder, 'passphrase');
    writeFileSync(passphraseFile, 'correct horse battery staple\n', { mode: 0o600 });
    const secret = ['--passphrase-file', passphraseFile];
    const said = await runScript(service.environment, 'service-backup', '--to', archive, ...secret);
    t.regex(said, /Installation +swc_/);
    t.regex(said, /4 stacks/);
    t.is(statSync(archive).mode & 0o777, 0o600);
    const later = await createRunningInstance(service);
    const { operation } = await service.api.call('DELETE', `/api/v1/instances/${gone.id}`);
    await awaitOperation(service, operation.id);

    await service.end('SIGKILL');
    const lost = `${service.dataDir}.lost`;
    renameSync(service.dataDir, lost);
    t.teardown(() => removeLost(lost));
    const dataDir = join(folder, 'restored');
    const environment = {
      ...service.environment,
      SWIFTCACHE_DATA_DIR: dataDir,
      SWIFTCACHE_REDIS_PORT: String(kept.port),
    };
    const from = ['--from', archive];
    const wrong = join(folder, 'wrong');
    writeFileSync(wrong, 'another passphrase', { mode: 0o600 });
    await refuses(t, environment, /not the one/, ...from, '--passphrase-file', wrong);
    const cut = join(folder, 'cut.age');
    writeFileSync(cut, readFileSync(archive).subarray(0, -40));
    await refuses(t, environment, /damaged/, '--from', cut, ...secret);
    t.false(existsSync(dataDir), 'a refused archive left something behind');

    await runScript(environment, 'service-restore', ...from, ...secret);
    for (const file of ['master.key', 'passphrase']) {
      t.is(statSync(join(dataDir, file)).mode & 0o777, 0o600);
      t.deepEqual(readFileSync(join(dataDir, file)), readFileSync(join(lost, file)));
    }
    t.is(statSync(dataDir).mode & 0o777, 0o700);
    // Its data is nowhere, and nothing empty takes its place.
    const isLost = async (restored: TestService): Promise<void> => {
      const lostData = async () => {
        const { instance } = await restored.api.call('GET', `/api/v1/instances/${gone.id}`);
        return instance.status === 'DEGRADED' || undefined;
      };
      const startedMs = performance.now();
      await pollUntil(lostData, { timeoutMs: 60_000, intervalMs: 200 });
      t.log('seen as lost after', { ms: Math.round(performance.now() - startedMs) });
      t.deepEqual(await listVolumesOf(gone.id), []);
    };
    await answersAsBefore(t, environment, [kept, forgetful], later, isLost);
    await refuses(t, environment, /has run in/, ...from, ...secret);

    const [{ databaseUrl }, { databaseUrl: stateUrl }] = [
      await postgresLocation(),
      await postgresLocation(),
    ];
    const elsewhere = {
      ...environment,
      SWIFTCACHE_DATA_DIR: join(folder, 'on-postgres'),
      SWIFTCACHE_DATABASE_URL: databaseUrl ?? '',
      SWIFTCACHE_STATE_BACKEND_URL: `${stateUrl}?sslmode=disable`,
    };
    await runScript(elsewhere, 'service-restore', ...from, ...secret);
    await answersAsBefore(t, elsewhere, [kept, forgetful], later, isLost);
    await refuses(t, elsewhere, /has rows already/, ...from, ...secret);
    const second = ['--to', join(folder, 'second.age'), ...secret];
    const saidThere = await runScript(elsewhere, 'service-backup', ...second);
    t.regex(saidThere, /4 stacks/);
    t.notRegex(saidThere, /Note:/);
    t.deepEqual(
      readdirSync(folder).filter((name) => name.includes('partial')),
      [],
    );
  },
);

/** Starts a service there, looks at everything, and ends it. */
async function answersAsBefore(
  t: ExecutionContext,
  environment: Record<string, string>,
  instances: readonly TestInstance[],
  later: TestInstance,
  alsoTrue: (service: TestService) => Promise<void> = async () => {},
): Promise<void> {
  const service = await startTestService(t, environment);
  try {
    for (const instance of instances) {
      const { id } = instance;
      t.is(await withRedis(instance, (redis) => redis.get('whose')), id);
      const data = service.api.withToken(instance.key);
      t.is((await data.call('GET', `/redis/${id}/get/whose`)).result, id);
      const { instance: found } = await service.api.call('GET', `/api/v1/instances/${id}`);
      t.like(found, { status: 'RUNNING', host: instance.host, port: instance.port, failure: null });
    }
    const preview = `preview -s ${instances[0]?.id} --expect-no-changes`;
    t.regex(await runPulumi(service, preview), /unchanged/);
    await service.api.call('GET', `/api/v1/instances/${later.id}`, undefined, 404);
    // What the archive does not know may be somebody's data: it stays, and the log says so.
    const told = async () => service.output().includes(`swiftcache-${later.id}`) || undefined;
    await pollUntil(told, { timeoutMs: 20_000, intervalMs: 100 });
    t.deepEqual(await listVolumesOf(later.id), [`swiftcache-${later.id}`]);
    await alsoTrue(service);
  } finally {
    await service.end('SIGTERM');
  }
}

async function runScript(
  environment: Record<string, string>,
  script: string,
  ...options: string[]
): Promise<string> {
  const env = { ...process.env, ...environment };
  const { stdout } = await run(process.execPath, [`scripts/${script}.ts`, ...options], {
    cwd: rootDir,
    env,
  });
  return stdout;
}

async function refuses(
  t: ExecutionContext,
  environment: Record<string, string>,
  reason: RegExp,
  ...options: string[]
): Promise<void> {
  const error = await t.throwsAsync(runScript(environment, 'service-restore', ...options));
  t.regex((error as Error & { stderr: string }).stderr, reason);
}

async function withRedis<T>(
  { host, port, key }: TestInstance,
  work: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis({ host, port, password: key });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** The installation's things in Docker, which all the services of this test share. */
async function removeLost(dataDir: string): Promise<void> {
  await removeInstallationObjects({
    dockerHost: loadConfig({}).dockerHost,
    databaseUrl: undefined,
    databaseFile: join(dataDir, 'swiftcache.db'),
  });
  rmSync(dataDir, { recursive: true, force: true });
}
