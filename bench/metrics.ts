/**
 * `npm run bench:metrics [-- INSTANCES]`: what looking at instances every 15 s costs this process.
 *
 * Real Redis processes (all in one container on the host's network, 100 by default) with 1,000 keys and a
 * history of 24 different commands each; the sampler as the service runs it, on an embedded database, for
 * a minute after its first sweep. Beside it, in the same run: as many bare INFO commands through ioredis,
 * on connections that stay open. Prints the processor time of both.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { platformUser } from '../infra/platform-user.ts';
import { loadConfig } from '../src/config.ts';
import { systemClock } from '../src/lib/clock.ts';
import { createSealer, randomHex } from '../src/lib/crypto.ts';
import { newId } from '../src/lib/ids.ts';
import { createLogger } from '../src/lib/logger.ts';
import { pollUntil } from '../src/lib/retry.ts';
import type { InstanceReader } from '../src/metrics/looks.ts';
import { createSampler } from '../src/metrics/sampler.ts';
import { createInstanceClients, passwordPlace } from '../src/provisioning/instance-redis.ts';
import { createMetricsReader } from '../src/provisioning/metrics-reader.ts';
import { type Orm, openDatabase } from '../src/store/database.ts';
import { InstanceEntity } from '../src/store/entities/instance.ts';
import { OrganizationEntity } from '../src/store/entities/organization.ts';

const run = promisify(execFile);
const instances = Number(process.argv[2] ?? 100);
const measuredMs = 60_000;
const sweepMs = 15_000;
const firstPort = 21_000 + Math.floor(Math.random() * 50) * 100;
const ports = Array.from({ length: instances }, (_, index) => firstPort + index);
const password = randomHex(16);
const sealer = createSealer(randomBytes(32));
const folder = mkdtempSync(join(tmpdir(), 'swiftcache-bench-'));
const container = await startRedisProcesses();
const orm = await openDatabase({ databaseUrl: undefined, databaseFile: join(folder, 'bench.db') });

try {
  await Promise.all(ports.map(useRedis));
  await addInstances(orm);
  const idle = await measure(() => sleep(10_000));
  const sampling = await measureSampler(orm);
  const bare = await measureBare(sampling.looks);
  report(idle, sampling, bare);
} finally {
  await orm.close();
  await run('docker', ['rm', '-f', container]);
  rmSync(folder, { recursive: true, force: true });
}

async function startRedisProcesses(): Promise<string> {
  const user = `--user ${platformUser} on '>${password}' '~*' '&*' +@all`;
  const options = `--bind 127.0.0.1 --save "" --dir /tmp ${user}`;
  const script = ports.map((port) => `redis-server --port ${port} ${options} &`).join('\n');
  const { redisImage } = loadConfig(process.env);
  const { stdout } = await run('docker', [
    ...['run', '-d', '--rm', '--network', 'host', redisImage],
    ...['sh', '-c', `(${script}\nwait) > /dev/null`],
  ]);
  return stdout.trim();
}

function connectTo(port: number): Redis {
  const redis = new Redis({ host: '127.0.0.1', port, username: platformUser, password });
  redis.on('error', () => {});
  return redis;
}

/** Fills an instance and gives it a history, so that its answers are as long as in real life. */
async function useRedis(port: number): Promise<void> {
  const redis = connectTo(port);
  await pollUntil(() => redis.ping(), { timeoutMs: 30_000, intervalMs: 100 });
  const pipeline = redis.pipeline();
  for (let index = 0; index < 1_000; index += 1) pipeline.set(`key:${index}`, 'v'.repeat(100));
  for (let round = 0; round < 100; round += 1) {
    const index = String(round);
    pipeline.get(`key:${index}`).mget('a', 'b').incr('n').append('s', 'x').strlen('s').exists('s');
    pipeline.lpush('l', index).lrange('l', 0, -1).rpop('l').llen('l').sadd('set', index);
    pipeline.smembers('set').scard('set').hset('h', 'f', index).hgetall('h').hlen('h');
    pipeline.zadd('z', index, index).zrange('z', '0', '-1').zcard('z').expire('s', 60).ttl('s');
    pipeline.del('n').scan(0);
  }
  await pipeline.exec();
  redis.disconnect();
}

async function addInstances(database: Orm): Promise<void> {
  const em = database.em.fork();
  const now = new Date();
  const organizationId = newId('org');
  em.create(OrganizationEntity, {
    id: organizationId,
    name: 'b',
    plan: 'dedicated',
    createdAt: now,
  });
  await em.flush();
  for (const nodePort of ports) {
    const id = newId('inst');
    em.create(InstanceEntity, {
      ...{ id, organizationId, name: 'bench', region: 'eu-central', tier: 'dedicated' },
      ...{ createdAt: now, updatedAt: now, desired: 'present', generation: 1 },
      ...{ maxMemoryBytes: 64 * 1024 * 1024, evictionPolicy: 'noeviction', persistence: false },
      ...{ image: 'none', status: 'RUNNING', appliedGeneration: 1, failedGeneration: 0 },
      ...{ nodeHost: '127.0.0.1', nodePort, leaseExpiresAtMs: 0, leaseEpoch: 0, attempts: 0 },
      nextAttemptAtMs: 0,
      passwordSealed: sealer.seal(password, passwordPlace(id)),
    });
  }
  await em.flush();
}

interface Cost {
  readonly cpuUs: number;
  readonly tookMs: number;
}

async function measure(work: () => Promise<unknown>): Promise<Cost> {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuUs: user + system, tookMs: performance.now() - startedMs };
}

async function measureSampler(database: Orm): Promise<Cost & { looks: number }> {
  const real = createMetricsReader(sealer, createInstanceClients(sealer));
  let looks = 0;
  const reader: InstanceReader = {
    ...real,
    read(instance) {
      looks += 1;
      return real.read(instance);
    },
  };
  const logger = createLogger('warn');
  const sampler = createSampler({ orm: database, clock: systemClock, logger, reader });
  sampler.start();
  await sleep(sweepMs + 1_000);
  looks = 0;
  const cost = await measure(() => sleep(measuredMs));
  const counted = looks;
  await sampler.stop();
  return { ...cost, looks: counted };
}

/** The peer: one INFO after another, going round the same instances. */
async function measureBare(times: number): Promise<Cost> {
  const connections = ports.map(connectTo);
  await Promise.all(connections.map((redis) => redis.ping()));
  const cost = await measure(async () => {
    for (let index = 0; index < times; index += 1) {
      await connections[index % connections.length]?.info();
    }
  });
  for (const redis of connections) redis.disconnect();
  return cost;
}

function report(idle: Cost, sampling: Cost & { looks: number }, bare: Cost): void {
  const share = ({ cpuUs, tookMs }: Cost): string => `${((cpuUs / tookMs) * 0.1).toFixed(2)} %`;
  const each = ({ cpuUs }: Cost): string => `${(cpuUs / sampling.looks).toFixed(0)} µs`;
  const rows = [
    ['instances', String(instances)],
    ['looks in a minute', String(sampling.looks)],
    ['of one core, this process idle', share(idle)],
    ['of one core, sampling', share(sampling)],
    ['processor time a look, all included', each(sampling)],
    ['processor time a bare INFO', each(bare)],
    ['ratio', (sampling.cpuUs / bare.cpuUs).toFixed(2)],
  ];
  const lines = rows.map(([name = '', value = '']) => `${name.padEnd(38)}${value.padStart(10)}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
