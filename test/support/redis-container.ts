/** A real Redis of the image that instances run, in a container that goes away with the test. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { platformUser } from '../../infra/platform-user.ts';
import { type AclUser, aclRules } from '../../src/keys/acl-rules.ts';
import { randomHex, sha256Hex } from '../../src/lib/crypto.ts';
import { pollUntil } from '../../src/lib/retry.ts';

const run = promisify(execFile);
const facts = new URL('../../.setup/facts.json', import.meta.url);
const timeoutMs = 60_000;

/** What a test file or a test of ava gives to hang the clean-up on. */
interface Owner {
  teardown(action: () => Promise<void>): void;
}

export interface RedisContainer {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** A connection that may do anything. */
  readonly admin: Redis;
  setUser(user: AclUser): Promise<void>;
  deleteUser(name: string): Promise<void>;
  /** Restarts Redis in place: users and data are gone, connections are cut, the port stays. */
  restart(): Promise<void>;
  pause(): Promise<void>;
  unpause(): Promise<void>;
  remove(): Promise<void>;
}

interface ContainerOptions {
  /** As an instance has it: `default` off, this password for the platform's user, users kept in a file. */
  readonly platformPassword?: string;
}

/** Starts a Redis, without a password unless told otherwise, on a free loopback port; removed when the test ends. */
export async function startRedisContainer(
  owner?: Owner,
  { platformPassword }: ContainerOptions = {},
): Promise<RedisContainer> {
  const name = `swiftcache-unit-${randomHex(6)}`;
  // A network of its own: the default bridge may be missing or taken on a developer's machine.
  await docker('network', 'create', name);
  const publish = ['--publish', '127.0.0.1:0:6379'];
  const users = platformPassword && platformUsers(platformPassword);
  const script =
    `${users ? `printf '${users}' > /tmp/users.acl; ` : ''}: > /tmp/redis.conf; ` +
    `exec "$(command -v redis-server)" /tmp/redis.conf --save "" ` +
    `--protected-mode no --enable-debug-command yes${users ? ' --aclfile /tmp/users.acl' : ''}`;
  const image = readImage();
  const flags = ['--detach', '--rm', '--name', name, '--network', name, ...publish];
  const id = await docker('run', ...flags, image, 'sh', '-c', script).catch(async (error) => {
    await docker('network', 'rm', name);
    throw error;
  });
  const port = await readPort(id);
  const admin = new Redis({
    host: '127.0.0.1',
    port,
    ...(platformPassword && { username: platformUser, password: platformPassword }),
    retryStrategy: () => 20,
    commandTimeout: 2_000,
    // Or DEBUG RESTART would be sent again after each restart.
    autoResendUnfulfilledCommands: false,
  });
  admin.on('error', () => {});
  const waitForPong = (): Promise<true> =>
    pollUntil(async () => ((await admin.ping()) === 'PONG' ? true : undefined), {
      timeoutMs,
      intervalMs: 20,
    });
  const container: RedisContainer = {
    id,
    host: '127.0.0.1',
    port,
    admin,
    async setUser(user) {
      await admin.call('ACL', 'SETUSER', user.name, ...aclRules(user));
    },
    async deleteUser(user) {
      await admin.call('ACL', 'DELUSER', user);
    },
    async restart() {
      const before = await readRunId(admin);
      // Redis executes itself anew; a docker restart could get another port.
      void admin.call('DEBUG', 'RESTART').catch(() => {});
      const isAnother = async (): Promise<true | undefined> =>
        (await readRunId(admin)) !== before || undefined;
      await pollUntil(isAnother, { timeoutMs, intervalMs: 20 });
    },
    async pause() {
      await docker('pause', id);
    },
    async unpause() {
      await docker('unpause', id);
    },
    async remove() {
      admin.disconnect();
      await docker('rm', '--force', id).catch(() => {});
      await docker('network', 'rm', name).catch(() => {});
    },
  };
  owner?.teardown(() => container.remove());
  await waitForPong();
  return container;
}

/** What the start script of an instance writes before its first start. */
function platformUsers(password: string): string {
  const off = 'user default off resetpass resetkeys resetchannels -@all';
  return `${off}\\nuser ${platformUser} on #${sha256Hex(password)} ~* &* +@all\\n`;
}

async function readRunId(redis: Redis): Promise<string | undefined> {
  return /run_id:(\w+)/.exec(await redis.info('server'))?.[1];
}

function readImage(): string {
  const { redisImage } = JSON.parse(readFileSync(facts, 'utf8'));
  return redisImage.reference;
}

async function readPort(id: string): Promise<number> {
  const address = await docker('port', id, '6379/tcp');
  return Number(/:(\d+)$/m.exec(address)?.[1]);
}

async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, { timeout: timeoutMs });
  return stdout.trim();
}
