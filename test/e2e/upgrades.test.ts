/** Image upgrades: of one instance through the API, of a fleet beside the service, and back. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { containerOf } from '../support/docker.ts';
import { makeImage, pinnedImage } from '../support/images.ts';
import { runPulumi } from '../support/pulumi.ts';
import { copyRepository } from '../support/repository-copy.ts';
import {
  awaitOperation,
  createRunningInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

const run = promisify(execFile);
const mib = 1024 * 1024;
/** An image that does not answer is waited for; beside other tests all of it takes longer. */
const timeoutMs = 5 * 60_000;

test.serial(
  'instances go to another image and back with data and keys; a fleet stops at the first that fails',
  async (t) => {
    t.timeout(timeoutMs);
    const next = await makeImage(t, 'LABEL release=next');
    const broken = await makeImage(t, 'ENTRYPOINT ["redis-server", "--version"]');
    const root = copyRepository(t, [next, broken]);
    const service = await startTestService(t, {}, join(root, 'src/main.ts'));
    const kept = await createRunningInstance(service, { persistence: true, maxMemory: 24 * mib });
    const others = await Promise.all([
      createRunningInstance(service),
      createRunningInstance(service),
    ]);
    const all = [kept, ...others];
    await withRedis(kept, (redis) => redis.set('kept', 'yes'));
    t.like(await show(service, kept), { image: short(pinnedImage), upgradeAvailable: false });
    await service.api.call('POST', upgradePath(kept), undefined, 409);

    await service.end('SIGTERM');
    service.environment.SWIFTCACHE_REDIS_IMAGE = next;
    service.environment.SWIFTCACHE_REDIS_PORT = String(kept.port);
    await service.start();
    t.true((await show(service, kept)).upgradeAvailable);
    const { operation, dataKept } = await service.api.call('POST', upgradePath(kept));
    t.true(dataKept);
    const ended = await awaitOperation(service, operation.id);
    t.like(ended, { kind: 'upgrade', status: 'SUCCEEDED' });
    await runsOn(t, service, kept, next);
    t.is(await withRedis(kept, (redis) => redis.get('kept')), 'yes');

    const unknown = `sha256:${'f'.repeat(64)}`;
    t.regex(
      (await upgradeFleet(service, root, '--to', unknown)).said,
      /not on the list of allowed/,
    );
    const plan = await upgradeFleet(service, root, '--to', pinnedImage, '--dry-run');
    t.is(plan.code, 0, plan.said);
    t.is(plan.said.match(/it has the image already/g)?.length, 2);
    await runsOn(t, service, kept, next);

    const back = await upgradeFleet(service, root, '--to', pinnedImage);
    t.is(back.code, 0, back.said);
    t.regex(back.said, /1 upgraded, 2 left/);
    await runsOn(t, service, kept, pinnedImage);
    t.is(await withRedis(kept, (redis) => redis.get('kept')), 'yes');

    for (const other of others) await withRedis(other, (redis) => redis.set('untouched', 'yes'));
    const containers = await Promise.all(others.map(({ id }) => containerOf(id)));
    const startedMs = performance.now();
    const failed = await upgradeFleet(service, root, '--to', broken);
    t.log('taken back after', { ms: Math.round(performance.now() - startedMs) });
    t.is(failed.code, 1);
    t.regex(failed.said, new RegExp(`1/3  ${kept.id}  failed: .* back on its old image`));
    t.regex(failed.said, /2 not begun, 0 upgraded/);
    for (const instance of all) await runsOn(t, service, instance, pinnedImage);
    t.is(await withRedis(kept, (redis) => redis.get('kept')), 'yes');
    t.regex(await preview(service, root, kept), /unchanged/);
    for (const [index, other] of others.entries()) {
      t.is(await withRedis(other, (redis) => redis.get('untouched')), 'yes');
      t.is((await containerOf(other.id)).id, containers[index]?.id ?? '');
    }
    const { operations } = await service.api.call(
      'GET',
      `/api/v1/instances/${kept.id}/operations?limit=1`,
    );
    t.like(operations[0], { kind: 'upgrade', status: 'FAILED' });
    t.is(operations[0].error.code, 'instance_unreachable');
    const { entries } = await service.api.call(
      'GET',
      `/api/v1/audit?organizationId=${service.organizationId}&limit=100`,
    );
    const upgrades = entries.filter(
      (entry: { action: string }) => entry.action === 'instance.upgrade',
    );
    t.true(upgrades.some((entry: { actor: { kind: string } }) => entry.actor.kind === 'operator'));
  },
);

/** It runs on the image, is RUNNING, and is reached as ever. */
async function runsOn(
  t: ExecutionContext,
  service: TestService,
  instance: TestInstance,
  image: string,
): Promise<void> {
  t.is((await (await containerOf(instance.id)).inspect()).Config.Image, image);
  const { host, port } = instance;
  t.like(await show(service, instance), { status: 'RUNNING', image: short(image), host, port });
  t.is(await withRedis(instance, (redis) => redis.ping()), 'PONG');
}

interface Outcome {
  readonly code: number;
  readonly said: string;
}

async function upgradeFleet(
  service: TestService,
  root: string,
  ...options: string[]
): Promise<Outcome> {
  const command = ['scripts/fleet-upgrade.ts', ...options];
  const env = { ...process.env, ...service.environment };
  return await run(process.execPath, command, { cwd: root, env }).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    ({ code, stdout, stderr }) => ({ code, said: `${stdout}${stderr}` }),
  );
}

function preview(service: TestService, root: string, { id }: TestInstance): Promise<string> {
  return runPulumi(service, `preview -s ${id} --expect-no-changes`, root);
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API, as it came.
async function show(service: TestService, { id }: TestInstance): Promise<any> {
  return (await service.api.call('GET', `/api/v1/instances/${id}`)).instance;
}

function upgradePath({ id }: TestInstance): string {
  return `/api/v1/instances/${id}/upgrade`;
}

function short(image: string): string {
  return image.slice(image.indexOf('sha256:')).slice(0, 19);
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
