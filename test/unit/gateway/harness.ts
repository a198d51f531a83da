/** The gateway on the service's server, over a database with an instance and its key. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { ExecutionContext } from 'ava';
import { loadConfig } from '../../../src/config.ts';
import { createGateway, type Gateway, type GatewaySettings } from '../../../src/gateway/gateway.ts';
import type { LinkBounds } from '../../../src/gateway/redis/bounds.ts';
import type { UnreadBounds } from '../../../src/gateway/unread.ts';
import { createHttpServer, listenBacklog } from '../../../src/http-server.ts';
import { createDatabasePorts } from '../../../src/keys/database-ports.ts';
import { createDataSecret } from '../../../src/keys/format.ts';
import { newId } from '../../../src/lib/ids.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { type Orm, openDatabase } from '../../../src/store/database.ts';
import {
  type DataKey,
  DataKeyEntity,
  KeyBindingEntity,
  type KeyPermission,
} from '../../../src/store/entities/data-key.ts';
import { InstanceEntity, type InstanceStatus } from '../../../src/store/entities/instance.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';
import type { RedisContainer } from '../../support/redis-container.ts';

export interface Harness {
  readonly gateway: Gateway;
  readonly orm: Orm;
  readonly baseUrl: string;
  readonly port: number;
  /** Every log line so far. */
  readonly log: () => string;
}

export interface Bound {
  readonly instanceId: string;
  readonly key: DataKey;
  readonly secret: string;
}

export async function startHarness(
  t: Pick<ExecutionContext, 'teardown'>,
  bounds: Partial<LinkBounds> = {},
  overrides: Partial<GatewaySettings> = {},
  unreadBounds?: UnreadBounds,
): Promise<Harness> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-gateway-'));
  const databaseFile = join(folder, 'test.db');
  const orm = await openDatabase({ databaseUrl: undefined, databaseFile });
  let lines = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines += chunk;
      done();
    },
  });
  const logger = createLogger('debug', sink);
  const settings = { ...loadConfig({}).gateway, proxyHops: 0, ...overrides };
  const ports = createDatabasePorts({ orm, logger }, false);
  const gateway = createGateway({ ports, logger, settings, bounds, unreadBounds });
  const others = (_: unknown, response: ServerResponse): void => {
    response.end('not the gateway');
  };
  const server = createHttpServer({ gateway, others, pathPrefix: '/prefix' });
  server.listen({ port: 0, host: '127.0.0.1', backlog: listenBacklog });
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await gateway.close();
    await orm.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { port } = server.address() as AddressInfo;
  return { gateway, orm, port, baseUrl: `http://127.0.0.1:${port}`, log: () => lines };
}

interface InstanceOptions {
  readonly port?: number;
  readonly status?: InstanceStatus;
  readonly permissions?: KeyPermission[];
}

/** Records an instance (in a region of its own, so that several may name one port) and a key of it. */
export async function addInstance(
  { orm }: Pick<Harness, 'orm'>,
  { port = 1, status = 'RUNNING', permissions = ['read', 'write'] }: InstanceOptions = {},
): Promise<Bound> {
  const em = orm.em.fork();
  const instanceId = newId('inst');
  const now = new Date();
  // Each row refers to the ones before it.
  const organizationId = newId('org');
  // Of a plan whose rate no test comes near.
  em.create(OrganizationEntity, {
    id: organizationId,
    name: 'test',
    plan: 'dedicated',
    createdAt: now,
  });
  await em.flush();
  em.create(InstanceEntity, {
    id: instanceId,
    organizationId,
    name: 'test',
    region: instanceId,
    tier: 'free',
    createdAt: now,
    updatedAt: now,
    desired: 'present',
    generation: 1,
    maxMemoryBytes: 64 * 1024 * 1024,
    evictionPolicy: 'noeviction',
    persistence: false,
    image: 'redis',
    nodePort: port,
    nodeHost: '127.0.0.1',
    status,
    appliedGeneration: 1,
    leaseExpiresAtMs: 0,
    leaseEpoch: 0,
    attempts: 0,
    nextAttemptAtMs: 0,
  });
  const { secret, hash } = createDataSecret();
  const key = em.create(DataKeyEntity, {
    id: newId('key'),
    organizationId,
    name: 'test',
    secretHash: hash,
    permissions,
    ipWhitelist: [],
    rateLimit: 1000,
    createdAt: now,
  });
  await em.flush();
  em.create(KeyBindingEntity, { instanceId, keyId: key.id, createdAt: now });
  await em.flush();
  return { instanceId, key, secret };
}

export interface World extends Harness, Bound {}

/** A harness with an instance of a real Redis and a key that is signed up there. */
export async function startWorld(
  t: Pick<ExecutionContext, 'teardown'>,
  redis: RedisContainer,
  options: {
    limits?: Partial<LinkBounds>;
    settings?: Partial<GatewaySettings>;
    unreadBounds?: UnreadBounds;
    permissions?: KeyPermission[];
  } = {},
): Promise<World> {
  const harness = await startHarness(t, options.limits, options.settings, options.unreadBounds);
  const bound = await addInstance(harness, {
    port: redis.port,
    permissions: options.permissions ?? ['read', 'write'],
  });
  await signUp(redis, bound);
  return { ...harness, ...bound };
}

/** Makes the key's ACL user, as the provisioner does. */
export async function signUp(redis: RedisContainer, { key }: Bound): Promise<void> {
  const { id: name, secretHash: passwordHash, permissions } = key;
  await redis.setUser({ name, passwordHash, permissions });
}

/** The connections that are signed in as the key. */
export async function listConnectionIds(redis: RedisContainer, { key }: Bound): Promise<string[]> {
  const clients = String(await redis.admin.call('CLIENT', 'LIST')).split('\n');
  const own = clients.filter((line) => line.includes(`user=${key.id} `));
  return own.map((line) => line.split(' ')[0] ?? '');
}

export async function countConnections(redis: RedisContainer, bound: Bound): Promise<number> {
  return (await listConnectionIds(redis, bound)).length;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: an answer's shape is what the tests are about
  readonly json: any;
}

/** One request to /redis/{instance}{path} with the instance's key. */
export async function call(
  { baseUrl }: Pick<Harness, 'baseUrl'>,
  { instanceId, secret }: Pick<Bound, 'instanceId' | 'secret'>,
  path: string,
  init: RequestInit = {},
): Promise<Answer> {
  const headers = {
    Authorization: `Bearer ${secret}`,
    ...(init.headers as Record<string, string>),
  };
  const response = await fetch(`${baseUrl}/redis/${instanceId}${path}`, { ...init, headers });
  const text = await response.text();
  const json = text ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, json };
}

/** POSTs a command array. */
export async function post(
  harness: Pick<Harness, 'baseUrl'>,
  bound: Pick<Bound, 'instanceId' | 'secret'>,
  command: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return await call(harness, bound, '', { method: 'POST', body: JSON.stringify(command), headers });
}

/** Sends bytes as they are and gives the answer's status and body; for what fetch would tidy up. */
export async function sendRaw(
  port: number,
  bytes: string | Buffer,
): Promise<{ status: number; body: string }> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(bytes);
  await new Promise((resolve, reject) => socket.once('close', resolve).once('error', reject));
  const text = Buffer.concat(chunks).toString('utf8');
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), body: rest.join('\r\n\r\n') };
}
