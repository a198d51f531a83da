/**
 * `npm run demo`: walks the whole way against a running service, printing each call and its answer, and
 * proves at the end that nothing is left.
 *
 * It needs no key: run on the service's machine, it gives itself an account key through the database and
 * takes it back at the end. It calls the API by the typed client of clients/typescript.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  createSwiftCacheClient,
  type SwiftCacheClient,
  SwiftCacheError,
  waitForOperation,
} from '../clients/typescript/index.ts';
import {
  bootstrapOrganization,
  issueAccountKey,
  removeAccountKey,
} from '../src/accounts/account-keys.ts';
import { type Config, loadConfig, rootDir } from '../src/config.ts';
import { systemClock } from '../src/lib/clock.ts';
import { connectDocker } from '../src/provisioning/docker.ts';
import { openDatabase } from '../src/store/database.ts';
import { createTellingFetch, expect, heading, say } from './demo-output.ts';
import { type Address, readMaxmemory, withRedis, writeWhile } from './demo-redis.ts';

const run = promisify(execFile);
const memoryBytes = 64 * 1024 * 1024;
const largerMemoryBytes = 96 * 1024 * 1024;
const instancePath = '/api/v1/instances/{instanceId}';

interface Demo {
  readonly config: Config;
  readonly url: string;
  readonly api: SwiftCacheClient;
  readonly organizationId: string;
}

interface DemoInstance extends Address {
  readonly id: string;
}

await main();

async function main(): Promise<void> {
  const config = loadConfig();
  const url = `http://${config.publicHost}:${config.port}`;
  await requireService(url);
  const orm = await openDatabase(config);
  const services = { orm, clock: systemClock };
  const { organizationId } = await bootstrapOrganization(services, undefined);
  const account = await issueAccountKey(services, { organizationId, name: 'demo' });
  try {
    const api = connect(url, account.secret);
    await walk({ config, url, organizationId, api });
  } finally {
    await removeAccountKey(services, { id: account.id, organizationId });
    await orm.close();
  }
}

/** A client that says what it does; operations are told step by step instead (follow). */
function connect(url: string, token: string): SwiftCacheClient {
  return createSwiftCacheClient({ url, token, fetch: createTellingFetch(/\/operations\//) });
}

async function walk(demo: Demo): Promise<void> {
  heading('The regions, known to everybody');
  await demo.api.get('/api/v1/instances/regions');
  const instance = await create(demo);
  try {
    await useOverHttp(demo, instance);
    await useOverRedis(instance);
    await addReader(demo, instance);
    await growWhileWriting(demo, instance);
    await showMetrics(demo, instance);
    await preview(instance);
  } finally {
    await remove(demo, instance);
  }
  await proveNothingLeft(demo, instance);
  heading('Done: created, used, grown while in use, agreed with Pulumi, deleted, nothing left');
}

async function create({ api, organizationId }: Demo): Promise<DemoInstance> {
  heading('Create an instance');
  const { instance, createdDefaultKey, operation } = await api.post('/api/v1/instances', {
    body: {
      organizationId,
      name: 'demo',
      maxMemory: memoryBytes,
      region: 'eu-central',
      evictionPolicy: 'allkeys-lfu',
    },
  });
  heading('Wait until it runs');
  await follow(api, operation.id);
  const { id, host, port } = instance;
  return { id, host, port, key: createdDefaultKey?.plainTextKey ?? '' };
}

async function useOverHttp({ url }: Demo, { id: instanceId, key }: DemoInstance): Promise<void> {
  heading('Commands over HTTP, with the data key');
  const data = connect(url, key);
  await data.get('/redis/{instanceId}/{command}/{argument}', {
    params: { path: { instanceId, command: 'incr', argument: 'visits' } },
  });
  const path = { instanceId };
  const body = [
    ['SET', 'greeting', 'hello'],
    ['GET', 'greeting'],
  ];
  await data.post('/redis/{instanceId}/pipeline', { params: { path }, body });
  const { result } = await data.post('/redis/{instanceId}', {
    params: { path },
    body: ['INCRBY', 'visits', 2],
  });
  expect(result === 3, `there have been 3 visits, not ${String(result)}`);
}

async function useOverRedis({ key, host, port }: DemoInstance): Promise<void> {
  heading('The same over redis://, with ioredis');
  say(`redis://:${key}@${host}:${port}`);
  await withRedis({ key, host, port }, async (redis) => {
    say(`SET city Berlin   -> ${await redis.set('city', 'Berlin')}`);
    say(`GET city          -> ${await redis.get('city')}`);
    say(`GET greeting      -> ${await redis.get('greeting')}   (set over HTTP)`);
    expect((await readMaxmemory(redis)) === memoryBytes, 'maxmemory is as asked for');
  });
}

async function addReader(
  { api }: Demo,
  { id: instanceId, host, port }: DemoInstance,
): Promise<void> {
  heading('A second key that may only read');
  const { createdKey } = await api.post('/api/v1/instances/{instanceId}/api-keys', {
    params: { path: { instanceId } },
    body: { name: 'reader', permissions: ['read'] },
  });
  await withRedis({ key: createdKey.plainTextKey, host, port }, async (redis) => {
    say(`GET city          -> ${await redis.get('city')}`);
    const refusal = await redis.set('city', 'Bonn').catch((error: Error) => error.message);
    say(`SET city Bonn     -> ${refusal}`);
    expect(refusal.startsWith('NOPERM'), 'a key that may only read writes nothing');
  });
}

async function growWhileWriting({ api }: Demo, instance: DemoInstance): Promise<void> {
  heading('More memory, while somebody writes');
  const params = { path: { instanceId: instance.id } };
  await withRedis(instance, async (redis) => {
    const connection = await redis.client('ID');
    const keysBefore = await redis.dbsize();
    const written = await writeWhile(redis, async () => {
      const body = { maxMemory: largerMemoryBytes };
      const { operation } = await api.patch(instancePath, { params, body });
      if (operation) await follow(api, operation.id);
    });
    const maxmemory = await readMaxmemory(redis);
    say(`maxmemory is ${maxmemory}; ${written} writes meanwhile, none failed`);
    expect(maxmemory === largerMemoryBytes, 'maxmemory is as asked for');
    expect((await redis.client('ID')) === connection, 'the connection is still the same');
    expect((await redis.dbsize()) === keysBefore + written, 'no key is lost');
  });
}

async function showMetrics({ api }: Demo, { id: instanceId }: DemoInstance): Promise<void> {
  heading('What it did');
  await api.get('/api/v1/instances/{instanceId}/metrics', { params: { path: { instanceId } } });
}

async function preview({ id }: DemoInstance): Promise<void> {
  heading('What an operator sees: no change');
  say(await runPulumi(`preview -s ${id} --expect-no-changes --non-interactive --color never`));
}

async function remove({ api }: Demo, { id: instanceId }: DemoInstance): Promise<void> {
  heading('Delete it');
  const { operation } = await api.delete(instancePath, { params: { path: { instanceId } } });
  await follow(api, operation.id);
}

async function proveNothingLeft({ api, config }: Demo, { id }: DemoInstance): Promise<void> {
  heading('Proof that nothing is left');
  const docker = connectDocker(config.dockerHost);
  const filters = { label: [`swiftcache.instance=${id}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const { Volumes } = await docker.listVolumes({ filters });
  const stacks = await runPulumi('stack ls --non-interactive --color never');
  say(`docker ps -a:      ${containers.length} containers of ${id}`);
  say(`docker volume ls:  ${Volumes?.length ?? 0} volumes of ${id}`);
  say(`pulumi stack ls:\n${stacks}`);
  expect(containers.length === 0 && (Volumes ?? []).length === 0, 'no container or volume is left');
  expect(!stacks.includes(id), 'no stack is left');
  const reading = api.get(instancePath, { params: { path: { instanceId: id } } });
  const answer = await reading.catch((error: unknown) => error);
  expect(answer instanceof SwiftCacheError && answer.status === 404, 'the instance is gone');
}

/** Follows an operation, saying each step once, until it has ended well. */
async function follow(api: SwiftCacheClient, operationId: string): Promise<void> {
  let said = 0;
  const { status, createdAt, finishedAt } = await waitForOperation(api, operationId, {
    pollMs: 100,
    onProgress({ steps, progress }) {
      for (const step of steps.slice(said)) {
        say(`  ${String(progress).padStart(3)} %  ${step.name}`);
      }
      said = steps.length;
    },
  });
  say(`  ${status} after ${Date.parse(finishedAt ?? createdAt) - Date.parse(createdAt)} ms`);
}

async function runPulumi(command: string): Promise<string> {
  say(`$ pulumi ${command}`);
  const script = `eval "$(node src/operator-env.ts)" && pulumi ${command}`;
  const { stdout } = await run('sh', ['-c', script], { cwd: rootDir });
  return stdout.trim();
}

async function requireService(url: string): Promise<void> {
  try {
    await fetch(`${url}/healthz`);
  } catch {
    process.stderr.write(
      `No service answers at ${url}: start one with "npm start" and try again.\n`,
    );
    process.exit(1);
  }
}
