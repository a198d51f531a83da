/** The control API in this process, over a real database, with provisioning that only counts its wakes. */
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { createAccountThrottle } from '../../src/accounts/throttle.ts';
import { createApp } from '../../src/app.ts';
import { createEventStreams } from '../../src/http/event-streams.ts';
import type { HttpServices } from '../../src/http/route.ts';
import { createFingerprint, createSealer } from '../../src/lib/crypto.ts';
import { newId } from '../../src/lib/ids.ts';
import type { Orm } from '../../src/store/database.ts';
import { OrganizationEntity } from '../../src/store/entities/organization.ts';
import { createTestClock } from './clock.ts';
import { checkConformance } from './conformance.ts';
import { captureLog } from './log-lines.ts';
import { addAccountKey } from './people.ts';
import { testPorts } from './ports.ts';
import { testConfig } from './test-config.ts';

/** An organization with its account key. */
export interface Account {
  readonly organizationId: string;
  readonly secret: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  readonly body: any;
}

export interface CallOptions {
  /** An account key, or a whole Authorization header when it has a blank in it. */
  readonly key?: string | undefined;
  /** Sent as JSON; a text or bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface Api {
  readonly url: string;
  readonly orm: Orm;
  readonly clock: ReturnType<typeof createTestClock>;
  readonly owner: Account;
  readonly stranger: Account;
  wakes(): number;
  /** Every log line so far, at debug level. */
  log(): string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** As the owner. */
  own(method: string, path: string, body?: unknown): Promise<Answer>;
}

const masterKey = Buffer.alloc(32, 7);

export const door = { host: 'cache.example.com', port: 6379 };

/** Starts the API on a port of the system's choice; it ends with the test. */
export async function startApi(
  t: Pick<ExecutionContext, 'teardown'>,
  orm: Orm,
  overrides: Partial<HttpServices> = {},
): Promise<Api> {
  const clock = createTestClock();
  const { logger, text } = captureLog('debug');
  let wakes = 0;
  const services: HttpServices = {
    orm,
    clock,
    config: testConfig(),
    logger,
    accountThrottle: createAccountThrottle(),
    ...testPorts(),
    provisioner: { wake: () => (wakes += 1) },
    door: () => ({ ...door, tlsPort: undefined, takesPlain: true, domain: undefined }),
    checkReady: async () => {},
    sealer: createSealer(masterKey),
    fingerprint: createFingerprint(masterKey),
    streams: createEventStreams(logger),
    ...overrides,
  };
  const app = createApp(services, { api: services });
  const server = app.listen(0, '127.0.0.1');
  // A file's tests run side by side: who waits long for its turn still finds its connection open.
  server.keepAliveTimeout = 0;
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const accounts = { orm, clock };
  const owner = await addAccount(accounts);
  const stranger = await addAccount(accounts);
  const call: Api['call'] = (method, path, options) => send(method, url + path, options);
  return {
    url,
    orm,
    clock,
    owner,
    stranger,
    wakes: () => wakes,
    log: text,
    call,
    own: (method, path, body) => call(method, path, { key: owner.secret, body }),
  };
}

async function addAccount(services: Pick<HttpServices, 'orm' | 'clock'>): Promise<Account> {
  const em = services.orm.em.fork();
  const organizationId = newId('org');
  em.create(OrganizationEntity, {
    id: organizationId,
    name: 'an organization',
    plan: 'dedicated',
    createdAt: services.clock.now(),
  });
  await em.flush();
  const { secret } = await addAccountKey(services.orm, { organizationId, role: 'owner' });
  return { organizationId, secret };
}

async function send(method: string, url: string, options: CallOptions = {}): Promise<Answer> {
  const { key, body } = options;
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method: method.toUpperCase(),
    headers: {
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(key !== undefined && { Authorization: key.includes(' ') ? key : `Bearer ${key}` }),
      ...options.headers,
    },
    ...(body !== undefined && { body: (isRaw ? body : JSON.stringify(body)) as string }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('Content-Type') ?? '');
  const answer: Answer = {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
  checkConformance(method, url, answer);
  return answer;
}

/** The documented example of a create. */
export function newInstance(
  { organizationId }: Pick<Account, 'organizationId'>,
  changes: object = {},
): object {
  return {
    organizationId,
    name: 'my-cache',
    maxMemory: 536_870_912,
    region: 'eu-central',
    ...changes,
  };
}
