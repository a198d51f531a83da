/**
 * `npm run demo`: walks the whole way against a running service, printing each call and its answer, and
 * proves at the end that nothing is left.
 *
 * It needs no key: run on the service's machine, it gives itself an account key through the database and
 * takes it back at the end.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { Redis } from 'ioredis';
import {
  bootstrapOrganization,
  issueAccountKey,
  removeAccountKey,
} from '../src/accounts/account-keys.ts';
import { type Config, loadConfig, rootDir } from '../src/config.ts';
import { systemClock } from '../src/lib/clock.ts';
import { maskSecrets } from '../src/lib/logger.ts';
import { connectDocker } from '../src/provisioning/docker.ts';
import { openDatabase } from '../src/store/database.ts';
import { type ApiClient, createApiClient } from './api-client.ts';

const run = promisify(execFile);
const memoryBytes = 64 * 1024 * 1024;

interface Demo {
  readonly config: Config;
  readonly api: ApiClient;
  readonly organizationId: string;
}

interface DemoInstance {
  readonly id: string;
  readonly key: string;
  readonly host: string;
  readonly port: number;
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
    const demo = { config, organizationId, api: createApiClient(url, account.secret, say) };
    await walk(demo);
  } finally {
    await removeAccountKey(orm, account.id);
    await orm.close();
  }
}

async function walk(demo: Demo): Promise<void> {
  heading('The regions, known to everybody');
  await demo.api.call('GET', '/api/v1/instances/regions');
  const instance = await create(demo);
  try {
    await commandOverHttp(demo, instance);
    await commandOverRedis(instance);
    await preview(instance);
  } finally {
    await remove(demo, instance);
  }
  await proveNothingLeft(demo, instance);
  heading('Done: created, used, agreed with Pulumi, deleted, nothing left');
}

async function create({ api, organizationId }: Demo): Promise<DemoInstance> {
  heading('Create an instance');
  const { instance, createdDefaultKey, operation } = await api.call('POST', '/api/v1/instances', {
    organizationId,
    name: 'demo',
    maxMemory: memoryBytes,
    region: 'eu-central',
    evictionPolicy: 'allkeys-lfu',
  });
  heading('Wait until it runs');
  await follow(api, operation.id);
  await api.call('GET', `/api/v1/instances/${instance.id}`);
  return {
    id: instance.id,
    key: createdDefaultKey.plainTextKey,
    host: instance.host,
    port: instance.port,
  };
}

async function commandOverHttp({ api }: Demo, { id, key }: DemoInstance): Promise<void> {
  heading('Commands over HTTP');
  const data = api.withToken(key);
  await data.call('GET', `/redis/${id}/set/greeting/hello`);
  const { result } = await data.call('GET', `/redis/${id}/get/greeting`);
  expect(result === 'hello', `GET greeting gives hello, not ${result}`);
  await data.call('POST', `/redis/${id}`, ['INCRBY', 'visits', '3']);
}

async function commandOverRedis({ key, host, port }: DemoInstance): Promise<void> {
  heading('The same over redis://, with ioredis');
  say(`redis://:${maskSecrets(key)}@${host}:${port}`);
  const redis = new Redis({ host, port, password: key, maxRetriesPerRequest: 1 });
  try {
    say(`SET city Berlin   -> ${await redis.set('city', 'Berlin')}`);
    say(`GET city          -> ${await redis.get('city')}`);
    say(`GET greeting      -> ${await redis.get('greeting')}   (set over HTTP)`);
    heading('Memory and eviction, as Redis itself reports them');
    const info = String(await redis.info('memory'));
    const maxmemory = /^maxmemory:(\d+)/m.exec(info)?.[1];
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
    say(`maxmemory:${maxmemory}\nmaxmemory_policy:${policy}`);
    expect(maxmemory === String(memoryBytes), 'maxmemory is as asked for');
    expect(policy === 'allkeys-lfu', 'the eviction policy is as asked for');
  } finally {
    redis.disconnect();
  }
}

async function preview({ id }: DemoInstance): Promise<void> {
  heading('What an operator sees: no change');
  say(await runPulumi(`preview -s ${id} --expect-no-changes --non-interactive --color never`));
}

async function remove({ api }: Demo, { id }: DemoInstance): Promise<void> {
  heading('Delete it');
  const { operation } = await api.call('DELETE', `/api/v1/instances/${id}`);
  await follow(api, operation.id);
}

async function proveNothingLeft({ api, config }: Demo, { id }: DemoInstance): Promise<void> {
  heading('Proof that nothing is left');
  const docker: Docker = connectDocker(config.dockerHost);
  const filters = { label: [`swiftcache.instance=${id}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const { Volumes } = await docker.listVolumes({ filters });
  const stacks = await runPulumi('stack ls --non-interactive --color never');
  say(`docker ps -a:      ${containers.length} containers of ${id}`);
  say(`docker volume ls:  ${Volumes?.length ?? 0} volumes of ${id}`);
  say(`pulumi stack ls:\n${stacks}`);
  expect(containers.length === 0 && (Volumes ?? []).length === 0, 'no container or volume is left');
  expect(!stacks.includes(id), 'no stack is left');
  await api.call('GET', `/api/v1/instances/${id}`, undefined, 404);
}

/** Polls an operation, saying each step once, until it has ended. */
async function follow(api: ApiClient, operationId: string): Promise<void> {
  let said = 0;
  for (;;) {
    const { operation } = await api.quietly('GET', `/api/v1/operations/${operationId}`);
    for (const step of operation.steps.slice(said)) {
      say(`  ${String(operation.progress).padStart(3)} %  ${step.name}`);
    }
    said = operation.steps.length;
    if (operation.finishedAt) {
      const tookMs = Date.parse(operation.finishedAt) - Date.parse(operation.createdAt);
      say(`  ${operation.status} after ${tookMs} ms`);
      expect(
        operation.status === 'SUCCEEDED',
        operation.error?.message ?? 'the operation succeeds',
      );
      return;
    }
    await sleep(100);
  }
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

function heading(text: string): void {
  say(`\n── ${text} ${'─'.repeat(Math.max(0, 76 - text.length))}`);
}

function say(text: string): void {
  process.stdout.write(`${maskSecrets(text)}\n`);
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the demo expected otherwise: ${what}`);
}
