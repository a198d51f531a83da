/** What the door's tests share: a door over a real embedded database, clients, and a stand-in instance. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import {
  createEdge,
  type Edge,
  type EdgeLimits,
  type EntranceSettings,
} from '../../../src/edge/edge.ts';
import { createRequestReader, encodeRequest } from '../../../src/edge/resp-request.ts';
import { bindKey, createBoundKey } from '../../../src/keys/data-keys.ts';
import { createDatabasePorts } from '../../../src/keys/database-ports.ts';
import { newId } from '../../../src/lib/ids.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { type EntityManager, type Orm, openDatabase } from '../../../src/store/database.ts';
import { InstanceEntity, type InstanceStatus } from '../../../src/store/entities/instance.ts';
import { OrganizationEntity } from '../../../src/store/entities/organization.ts';

interface Teardown {
  teardown(action: () => unknown): void;
}

export interface Door {
  readonly edge: Edge;
  readonly orm: Orm;
  readonly port: number;
  /** Everything logged so far. */
  readLog(): string;
}

export async function openStore(t: Teardown): Promise<Orm> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-edge-'));
  const location = { databaseUrl: undefined, databaseFile: join(folder, 'test.db') };
  const orm = await openDatabase(location);
  await addDoorOrganization(orm);
  t.teardown(async () => {
    await orm.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return orm;
}

/** The organization of the instances and keys that are added here. */
export async function addDoorOrganization(orm: Orm): Promise<void> {
  const organization = { id: 'org_test', name: 'test', createdAt: new Date() };
  await orm.em.fork().insert(OrganizationEntity, organization);
}

export async function openDoor(
  t: Teardown,
  limits: Partial<EdgeLimits> = {},
  entrance: EntranceSettings = {},
): Promise<Door> {
  const orm = await openStore(t);
  let log = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      log += chunk;
      done();
    },
  });
  const settings = { instanceWaitMs: 0, ...limits };
  const logger = createLogger('debug', sink);
  const ports = createDatabasePorts({ orm, logger }, false);
  const edge = createEdge({ ports, logger, limits: settings, entrance });
  const port = await edge.listen({ host: '127.0.0.1', port: { number: 0, fixed: true } });
  t.teardown(() => edge.close());
  return { edge, orm, port, readLog: () => log };
}

/** Writes an instance and gives its id. */
export async function addInstance(
  orm: Orm,
  { port, status = 'RUNNING' }: { port: number | null; status?: InstanceStatus },
): Promise<string> {
  const em = orm.em.fork();
  const now = new Date();
  const { id } = em.create(InstanceEntity, {
    id: newId('inst'),
    organizationId: 'org_test',
    name: 'test',
    region: 'local',
    tier: 'free',
    createdAt: now,
    updatedAt: now,
    desired: 'present',
    generation: 1,
    maxMemoryBytes: 1_000_000,
    evictionPolicy: 'noeviction',
    persistence: false,
    image: 'redis',
    nodePort: port,
    status,
    appliedGeneration: 1,
    nodeHost: port === null ? null : '127.0.0.1',
    leaseExpiresAtMs: 0,
    leaseEpoch: 0,
    attempts: 0,
    nextAttemptAtMs: 0,
  });
  await em.flush();
  return id;
}

/** Makes a key that opens these instances. */
export async function addKey(orm: Orm, instanceIds: readonly [string, ...string[]]) {
  const em = orm.em.fork() as unknown as EntityManager;
  const now = new Date();
  const [instanceId, ...others] = instanceIds;
  const made = await createBoundKey(em, { organizationId: 'org_test', instanceId, name: 'k', now });
  for (const other of others) bindKey(em, other, made.key.id, now);
  await em.flush();
  return { keyId: made.key.id, secret: made.secret };
}

export interface StandIn {
  readonly port: number;
  /** The sign-in commands it got, as lists of arguments. */
  readonly signIns: string[][];
  readonly sockets: Set<Socket>;
}

/**
 * A TCP server in an instance's place: answers the sign-in with `answer` after `delayMs`, then sends
 * back every byte it gets. What it cannot stand for (rights, commands) is tested with Redis, end to end.
 */
export async function startStandIn(
  t: Teardown,
  { answer = '+OK\r\n', delayMs = 0 }: { answer?: string; delayMs?: number } = {},
): Promise<StandIn> {
  const signIns: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    const reader = createRequestReader();
    socket.on('data', function readSignIn(chunk: Buffer) {
      reader.push(chunk);
      const read = reader.next();
      if (read.kind !== 'request') return;
      signIns.push(read.args.map(String));
      socket.off('data', readSignIn).pause();
      setTimeout(() => {
        socket.write(answer);
        socket.write(reader.rest());
        socket.pipe(socket);
      }, delayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, signIns, sockets };
}

export interface Client {
  readonly socket: Socket;
  send(bytes: string | Buffer): void;
  /** Waits for exactly this many bytes; fails when the connection ends before. */
  read(length: number): Promise<string>;
  /** Waits for a line and gives it without its end. */
  readLine(): Promise<string>;
  /** Waits for the end of the connection and gives what was not read. */
  readToEnd(): Promise<string>;
}

export async function openClient(t: Teardown, port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  const client = toClient(socket);
  await new Promise((resolve) => socket.once('connect', resolve));
  return client;
}

/** Reads what a connection says, with or without TLS. */
export function toClient(socket: Socket): Client {
  let received = '';
  let hasEnded = false;
  let wake = (): void => {};
  socket.setEncoding('latin1');
  socket.on('error', () => {});
  socket.on('data', (text: string) => {
    received += text;
    wake();
  });
  const finish = (): void => {
    hasEnded = true;
    wake();
  };
  socket.on('end', finish).on('close', finish);

  async function take(measure: () => number): Promise<string> {
    for (;;) {
      const length = measure();
      if (length >= 0) {
        const taken = received.slice(0, length);
        received = received.slice(length);
        return taken;
      }
      if (hasEnded) throw new Error(`the connection ended after ${JSON.stringify(received)}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    read: (length) => take(() => (received.length >= length ? length : -1)),
    readLine: async () => (await take(() => received.indexOf('\n') + 1 || -1)).slice(0, -2),
    readToEnd: () => take(() => (hasEnded ? received.length : -1)),
  };
}

/** A request as clients write it. */
export function encode(...args: readonly (string | Buffer)[]): Buffer {
  return encodeRequest(args);
}

/** A door with one running instance (a stand-in) and a key for it. */
export async function openDoorWithInstance(
  t: Teardown,
  options: { limits?: Partial<EdgeLimits>; answer?: string; delayMs?: number } = {},
) {
  const door = await openDoor(t, options.limits);
  const standIn = await startStandIn(t, options);
  const instanceId = await addInstance(door.orm, { port: standIn.port });
  const key = await addKey(door.orm, [instanceId]);
  return { ...door, ...key, standIn, instanceId, client: () => openClient(t, door.port) };
}
