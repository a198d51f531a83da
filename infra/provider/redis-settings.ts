import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type LiveSettings, writeLiveSettings } from '../live-settings.ts';
import { platformUser } from '../platform-user.ts';
import type { ResourceHandler } from './resource-handler.ts';

const readyTimeoutMs = 20_000;
/**
 * Redis answers that it loads, or writes its first append-only file: a large one takes as long as its data
 * is large. The run ends before the service takes its silence for a fault, and the next one goes on.
 */
const workTimeoutMs = 25_000;
const pollMs = 15;

interface Settings extends LiveSettings {
  containerId: string;
  host: string;
  port: number;
  password: string;
}

/** What decides whether there is something to set; the password alone is no reason. */
const watched = [
  'containerId',
  'host',
  'port',
  'maxMemoryBytes',
  'evictionPolicy',
  'persistence',
] as const satisfies readonly (keyof Settings)[];

/** Sets memory, eviction and persistence on a running Redis and saves them for its next start. */
export const redisSettings: ResourceHandler = {
  async create(inputs) {
    const settings = inputs as Settings;
    await applySettings(settings);
    return { id: `${settings.host}:${settings.port}`, outs: recorded(settings) };
  },
  async update(_id, inputs) {
    await applySettings(inputs as Settings);
    return { outs: recorded(inputs as Settings) };
  },
  changedInputs: (outputs, inputs) => watched.filter((name) => outputs[name] !== inputs[name]),
};

/** What the state keeps as outputs: all but the password, which is another resource's. */
function recorded(settings: Settings): Partial<Settings> {
  return Object.fromEntries(watched.map((name) => [name, settings[name]]));
}

async function applySettings(settings: Settings): Promise<void> {
  const lastMs = performance.now() + workTimeoutMs;
  const redis = await connectWhenReady(settings, lastMs);
  try {
    await writeLiveSettings(redis, settings, { timeoutMs: lastMs - performance.now() });
  } catch (error) {
    throw describeFailure(error, settings);
  } finally {
    redis.disconnect();
  }
}

/** A container has just started: tries until Redis answers, its data loaded. */
async function connectWhenReady(settings: Settings, lastMs: number): Promise<Redis> {
  let deadlineMs = performance.now() + readyTimeoutMs;
  for (;;) {
    const redis = createClient(settings);
    let reason: unknown;
    // The client rejects with "Connection is closed."; the event before it says why.
    redis.on('error', (error) => {
      reason = error;
    });
    try {
      await redis.connect();
      await redis.ping();
      return redis;
    } catch (error) {
      redis.disconnect();
      reason ??= error;
      const isLoading = reason instanceof Error && reason.message.startsWith('LOADING');
      if (isLoading) deadlineMs = Math.min(performance.now() + readyTimeoutMs, lastMs);
      if (performance.now() > deadlineMs || isRefusal(reason)) {
        throw describeFailure(reason, settings);
      }
      await sleep(pollMs);
    }
  }
}

function createClient({ host, port, password }: Settings): Redis {
  return new Redis({
    host,
    port,
    username: platformUser,
    password,
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: 10_000,
  });
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^(WRONGPASS|NOAUTH|NOPERM)/.test(error.message);
}

/** A new error, because a client's own may carry the command with its arguments. */
function describeFailure(error: unknown, { host, port }: Settings): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(`Redis at ${host}:${port} did not take its settings: ${reason}`);
}
