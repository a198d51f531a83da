/**
 * `npm run bench:api [-- SECONDS]`: what the control API answers, on the embedded database and on
 * PostgreSQL.
 *
 * For each database, on a service of its own with 1,000 instances in it: requests per second and times of
 * GET list (a page as it comes, and the largest) and GET one from 16 connections, each beside a bare Koa
 * that sends the same bytes. Then the times of create answers while creates are queued and the
 * workers bring instances up. Limits stay on: the load is spread over account keys and addresses.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient } from '../scripts/api-client.ts';
import type { DatabaseLocation } from '../src/store/database.ts';
import { OperationEntity } from '../src/store/entities/operation.ts';
import { startBenchService } from './lib/bench-service.ts';
import {
  type Account,
  addAccount,
  addStoppedInstances,
  withDatabase,
} from './lib/fill-database.ts';
import { type Figures, measureLoad, percentiles } from './lib/load.ts';
import { type PostgresServer, startPostgresServer } from './lib/postgres-server.ts';

const durationMs = Number(process.argv[2] ?? 5) * 1000;
const warmUpMs = 1_500;
const instances = 1_000;
/** Enough that no caller comes near the requests a minute of its plan. */
const accountKeys = 64;
const queuedCreates = 20;
const furtherCreates = 100;
/** Between one of the further creates and the next: so they meet the workers at work, not one moment. */
const pauseMs = 50;
const createMsMax = 50;
const heading = `${''.padEnd(34)}  requests/s   p50 ms   p99 ms`;

interface Bench {
  readonly url: string;
  readonly location: DatabaseLocation;
  readonly reader: Account;
  readonly instanceId: string;
  /** Two, because a plan lets no organization have all those operations under way. */
  readonly creators: readonly [Account, Account];
}

const peer = fork(join(import.meta.dirname, 'bare-koa.ts'));
let postgres: PostgresServer | undefined;
let isWithinBar = true;
try {
  isWithinBar = await benchDatabase('embedded', undefined);
  postgres = await startPostgresServer();
  isWithinBar = (await benchDatabase('PostgreSQL', postgres.url)) && isWithinBar;
} finally {
  await postgres?.stop();
  peer.disconnect();
}
// At once: the exit hook that comes with the PostgreSQL server would end it with 0.
process.exit(isWithinBar ? 0 : 1);

/** Measures all on one database; false where creates are answered too slowly. */
async function benchDatabase(name: string, databaseUrl: string | undefined): Promise<boolean> {
  const dataDir = mkdtempSync(join(tmpdir(), 'swiftcache-bench-'));
  const location = { databaseUrl, databaseFile: join(dataDir, 'swiftcache.db') };
  const rows = await withDatabase(location, async (orm) => {
    const reader = await addAccount(orm, accountKeys);
    const instanceId = await addStoppedInstances(orm, reader.organizationId, instances);
    const creators = [await addAccount(orm, 1), await addAccount(orm, 1)] as const;
    return { reader, instanceId, creators };
  });
  const service = await startBenchService(dataDir, databaseUrl);
  try {
    const bench = { url: service.url, location, ...rows };
    await warmUp(bench);
    say(`\n${name}: ${instances} instances\n${heading}`);
    await measureReads(bench);
    return await measureCreates(bench);
  } finally {
    await service.remove();
  }
}

/** One instance from beginning to end: then the region, the workers and their providers are there. */
async function warmUp({ url, creators: [{ organizationId, secrets }] }: Bench): Promise<void> {
  const api = createApiClient(url, secrets[0] ?? '', () => {});
  const awaitEnd = async (operationId: string): Promise<void> => {
    for (;;) {
      const { operation } = await api.call('GET', `/api/v1/operations/${operationId}`);
      if (operation.status === 'FAILED') throw new Error(JSON.stringify(operation.error));
      if (operation.finishedAt) return;
      await sleep(pauseMs);
    }
  };
  const created = await api.call('POST', '/api/v1/instances', newInstance(organizationId));
  await awaitEnd(created.operation.id);
  const deletion = await api.call('DELETE', `/api/v1/instances/${created.instance.id}`);
  await awaitEnd(deletion.operation.id);
}

async function measureReads({ url, reader, instanceId }: Bench): Promise<void> {
  const list = `${url}/api/v1/instances?organizationId=${reader.organizationId}`;
  const targets = [
    ['GET list, a page of 100', list],
    ['GET list, a page of 200', `${list}&limit=200`],
    ['GET one, with its keys', `${url}/api/v1/instances/${instanceId}`],
  ] as const;
  for (const [name, target] of targets) {
    const body = await readBody(target, reader);
    const own = await measure(target, reader);
    const bare = await measure(await tellPeer(peer, body), reader);
    const size = `${(body.length / 1024).toFixed(1)} KiB`;
    say(line(name, own, `${(own.perSecond / bare.perSecond).toFixed(2)} of a bare Koa`));
    say(line(`  a bare Koa, the same ${size}`, bare, ''));
  }
}

async function measure(url: string, { secrets }: Account): Promise<Figures> {
  const headers = (connection: number, turn: number) => ({
    Authorization: `Bearer ${secrets[(connection + turn * 16) % secrets.length]}`,
  });
  await measureLoad({ url, headers }, warmUpMs);
  return await measureLoad({ url, headers }, durationMs);
}

/** So many creates at once, then others one after another, while the workers are busy with the first. */
async function measureCreates({ url, location, creators }: Bench): Promise<boolean> {
  const [first, second] = creators;
  const atOnce = await Promise.all(
    Array.from({ length: queuedCreates }, () => timeCreate(url, first)),
  );
  const further: number[] = [];
  const bare: number[] = [];
  const peerUrl = await tellPeer(peer, 'a yardstick for what the machine itself takes');
  for (let index = 0; index < furtherCreates; index += 1) {
    further.push(await timeCreate(url, second));
    bare.push(await timeGet(peerUrl));
    await sleep(pauseMs);
  }
  const queued = await countQueued(location);
  const figures = percentiles(further);
  const p99Ms = figures.p99Ms;
  const verdict = p99Ms < createMsMax ? `within ${createMsMax} ms` : `NOT within ${createMsMax} ms`;
  say(line(`POST create, ${queuedCreates} at once`, percentiles(atOnce), ''));
  say(line(`POST create, ${furtherCreates} after those`, figures, `p99 ${verdict}`));
  say(line('  a bare Koa, in between', percentiles(bare), ''));
  say(`  queued at the end: ${queued} of ${queuedCreates + furtherCreates}`);
  if (queued < queuedCreates) throw new Error('the queue was shorter than it should be');
  return p99Ms < createMsMax;
}

async function timeCreate(url: string, { organizationId, secrets }: Account): Promise<number> {
  const sentMs = performance.now();
  const response = await fetch(`${url}/api/v1/instances`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${secrets[0]}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(newInstance(organizationId)),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`a create answered ${response.status}: ${text}`);
  return performance.now() - sentMs;
}

async function timeGet(url: string): Promise<number> {
  const sentMs = performance.now();
  await (await fetch(url)).text();
  return performance.now() - sentMs;
}

function newInstance(organizationId: string): object {
  return { organizationId, name: 'bench', maxMemory: 16 * 1024 * 1024, region: 'eu-central' };
}

async function countQueued(location: DatabaseLocation): Promise<number> {
  return await withDatabase(location, (orm) => {
    return orm.em.fork().count(OperationEntity, { status: 'QUEUED' });
  });
}

async function readBody(url: string, { secrets }: Account): Promise<string> {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${secrets[0]}` } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text;
}

/** Has the peer send these bytes from now on; gives its address. */
async function tellPeer(child: ChildProcess, body: string): Promise<string> {
  const answered = once(child, 'message');
  child.send(body);
  const [url] = await answered;
  return String(url);
}

function line(name: string, figures: Partial<Figures>, note: string): string {
  const { perSecond, p50Ms, p99Ms } = figures;
  const rate = perSecond === undefined ? '' : perSecond.toFixed(0);
  const times = [p50Ms, p99Ms].map((ms) => (ms ?? Number.NaN).toFixed(1).padStart(9));
  return `${name.padEnd(34)}${rate.padStart(12)}${times.join('')}   ${note}`.trimEnd();
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
