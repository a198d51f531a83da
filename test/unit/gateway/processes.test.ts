/** Gateway processes beside the service, on its port: real forks, one database. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createGatewayProcesses, type GatewayProcesses } from '../../../src/gateway-processes.ts';
import { createDatabasePorts } from '../../../src/keys/database-ports.ts';
import { createDataSecret } from '../../../src/keys/format.ts';
import type { KeyPorts } from '../../../src/keys/ports.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import { captureLog } from '../../support/log-lines.ts';
import { type RedisContainer, startRedisContainer } from '../../support/redis-container.ts';
import { call, post, sendRaw, startWorld, type World } from './harness.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startRedisContainer();
});
test.after.always(async () => await redis?.remove());

interface Processes extends GatewayProcesses {
  /** The world, as reached through the processes alone. */
  readonly world: World;
  readonly log: () => string;
}

const patience = { timeoutMs: 60_000, intervalMs: 50 };

/** Says of a request what the service sees; takes long where it is asked to. */
function describe(request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers, socket } = request;
  if (url === '/stream') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: 1\n\n');
    request.once('close', () => response.end());
    return;
  }
  let bytes = 0;
  request.on('data', (chunk) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    const text = JSON.stringify({ method, url, address: socket.remoteAddress, bytes, headers });
    response.writeHead(201, { 'X-Own': 'a' }).end(text);
  });
}

async function start(
  t: ExecutionContext,
  count = 1,
  changes: Partial<KeyPorts> = {},
): Promise<Processes> {
  const world = await startWorld(t, redis);
  const { logger, text } = captureLog('debug');
  const ports = { ...createDatabasePorts({ orm: world.orm, logger }, false), ...changes };
  const processes = createGatewayProcesses({
    count,
    ports,
    logger,
    logLevel: 'silent',
    path: '',
  });
  // A port that is free: nothing but the processes listens on it then.
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const gateway = {
    proxyHops: 0,
    corsOrigins: [],
    compression: false,
    bodyBytesMax: 1_000_000,
    pipelineCommandsMax: 1_000,
  };
  await processes.start({ host: '127.0.0.1', port, pathPrefix: '/p', gateway }, describe);
  t.teardown(() => processes.close());
  await serving(processes, count);
  return {
    ...processes,
    log: text,
    world: { ...world, port, baseUrl: `http://127.0.0.1:${port}` },
  };
}

async function serving(processes: GatewayProcesses, count: number): Promise<void> {
  await pollUntil(async () => processes.pids().length === count || undefined, patience);
}

test.serial('a process serves commands, and tells of keys and figures', async (t) => {
  const { world, readFigures } = await start(t);
  t.deepEqual((await post(world, world, ['SET', 'k', 'v'])).json, { result: 'OK' });
  t.deepEqual((await call(world, world, '/get/k')).json, { result: 'v' });
  t.is((await call(world, { ...world, secret: `sc_live_${'0'.repeat(32)}` }, '/ping')).status, 401);
  const { orm, key } = world;
  await pollUntil(async () => {
    const row = await orm.em.fork().findOneOrFail(DataKeyEntity, { id: key.id });
    return row.lastUsedAt ?? undefined;
  }, patience);
  await pollUntil(async () => {
    const [figures] = readFigures();
    return (figures?.commands.read === 1 && figures.commands.write === 1) || undefined;
  }, patience);
});

test.serial('several processes hold one rate', async (t) => {
  const { world } = await start(t, 2);
  const { orm, key } = world;
  await orm.em.fork().nativeUpdate(DataKeyEntity, { id: key.id }, { rateLimit: 5 });
  const begunMs = performance.now();
  const statuses = await Promise.all(
    Array.from({ length: 100 }, async () => (await call(world, world, '/ping')).status),
  );
  const windows = Math.ceil((performance.now() - begunMs) / 1_000) + 1;
  const passed = statuses.filter((status) => status === 200).length;
  t.true(passed >= 5 && passed <= 5 * windows, `${passed} in ${windows}`);
  t.true(statuses.every((status) => status === 200 || status === 429));
});

test.serial('a process asks for no more wrong keys of an address than it may', async (t) => {
  let asked = 0;
  const findPrincipal: KeyPorts['findPrincipal'] = async () => {
    asked += 1;
    return undefined;
  };
  const { world } = await start(t, 1, { findPrincipal });
  const begunMs = performance.now();
  const statuses: number[] = [];
  for (let index = 0; index < 100; index += 1) {
    const { secret } = createDataSecret();
    statuses.push((await call(world, { ...world, secret }, '/ping')).status);
  }
  const seconds = Math.ceil((performance.now() - begunMs) / 1_000) + 1;
  t.deepEqual(new Set(statuses), new Set([401, 429]));
  t.true(asked <= 30 * Math.ceil(seconds / 10) + 5 * seconds, `${asked} in ${seconds} s`);
});

test.serial('a key that is dropped, or of which another server took the right, ends', async (t) => {
  const { world, dropKey, dropInstance } = await start(t);
  const { orm, key } = world;
  t.is((await call(world, world, '/ping')).status, 200);
  await orm.em.fork().nativeUpdate(DataKeyEntity, { id: key.id }, { ipWhitelist: ['192.0.2.1'] });
  dropKey(key.id, world.instanceId);
  // The drop and the request reach the process by different ways.
  await pollUntil(async () => {
    return (await call(world, world, '/ping')).status === 403 || undefined;
  }, patience);
  await orm.em.fork().nativeUpdate(DataKeyEntity, { id: key.id }, { ipWhitelist: [] });
  dropInstance(world.instanceId);
  await pollUntil(async () => {
    return (await call(world, world, '/ping')).status === 200 || undefined;
  }, patience);
});

test.serial('what is not the gateway’s reaches the service as it was sent', async (t) => {
  const { world } = await start(t);
  const response = await fetch(`${world.baseUrl}/p/api/v1/x?y=1`, {
    method: 'POST',
    body: 'x'.repeat(100_000),
    headers: {
      'swiftcache-peer-address': '203.0.113.1',
      'X-Forwarded-For': '203.0.113.2',
      'X-Other': 'kept',
    },
  });
  t.is(response.status, 201);
  t.is(response.headers.get('x-own'), 'a');
  const seen = (await response.json()) as Record<string, unknown>;
  t.like(seen, { method: 'POST', url: '/api/v1/x?y=1', address: '127.0.0.1', bytes: 100_000 });
  t.like(seen.headers, { 'x-other': 'kept', 'x-forwarded-for': '203.0.113.2' });
  t.false(JSON.stringify(seen).includes('203.0.113.1'));
  const streamed = new ReadableStream({
    start(controller) {
      for (let index = 0; index < 10; index++) controller.enqueue(Buffer.alloc(1_000));
      controller.close();
    },
  });
  const init = { method: 'PUT', body: streamed, duplex: 'half' } as RequestInit;
  const chunked = await (await fetch(`${world.baseUrl}/u`, init)).json();
  t.like(chunked, { method: 'PUT', bytes: 10_000 });
  const head = await fetch(`${world.baseUrl}/h`, { method: 'HEAD' });
  t.is(head.status, 201);
});

test.serial(
  'where the service cannot say whose a key is, the caller is told to come again',
  async (t) => {
    const findPrincipal = () => Promise.reject(new Error('no database'));
    const { world } = await start(t, 1, { findPrincipal });
    const answer = await call(world, world, '/ping');
    t.is(answer.status, 503);
    t.is(answer.headers.get('retry-after'), '1');
  },
);

test.serial('headers are bounded alike on the service’s port and through a process', async (t) => {
  const direct = await startWorld(t, redis);
  const { world } = await start(t);
  const few = (bytes: number): string => `X-Long: ${'x'.repeat(bytes)}\r\n`;
  const many = (count: number): string =>
    Array.from({ length: count }, (_, index) => `h${index}:\r\n`).join('');
  // Host and Connection are two more.
  const heads: [string, boolean][] = [
    [few(16_340), true],
    [few(16_384), false],
    [many(998), true],
    [many(999), false],
    [many(1_500), false],
  ];
  for (const [head, isTaken] of heads) {
    const bytes = `GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head}\r\n`;
    const statuses = [await sendRaw(direct.port, bytes), await sendRaw(world.port, bytes)];
    const wanted = isTaken ? [200, 201] : [431, 431];
    t.deepEqual(
      statuses.map(({ status }) => status),
      wanted,
      head.slice(0, 20),
    );
  }
});

test.serial('a stream of the service goes through, and ends with its reader', async (t) => {
  const { world } = await start(t);
  const aborter = new AbortController();
  const response = await fetch(`${world.baseUrl}/stream`, { signal: aborter.signal });
  const reader = response.body?.getReader();
  const first = await reader?.read();
  t.is(Buffer.from(first?.value ?? []).toString(), 'data: 1\n\n');
  aborter.abort();
  await t.throwsAsync(async () => await reader?.read());
});

test.serial('a process that dies is replaced, and what it counted stays', async (t) => {
  const processes = await start(t);
  const { world, log, readFigures } = processes;
  await call(world, world, '/ping');
  const counted = async (): Promise<number | undefined> =>
    readFigures().reduce((sum, { commands }) => sum + (commands.other ?? 0), 0) || undefined;
  await pollUntil(counted, patience);
  for (const pid of processes.pids()) process.kill(pid, 'SIGKILL');
  await pollUntil(async () => log().includes('a gateway process ended') || undefined, patience);
  await serving(processes, 1);
  t.is((await call(world, world, '/ping')).status, 200);
  t.true(((await counted()) ?? 0) >= 1);
});

test.serial('after a stop no process is left', async (t) => {
  const processes = await start(t);
  const { world } = processes;
  t.is((await call(world, world, '/ping')).status, 200);
  await processes.close();
  await t.throwsAsync(call(world, world, '/ping'));
  t.deepEqual(processes.pids(), []);
});
