/** The way between gateway or door and an instance's Redis is slow, half-open, or cut. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { randomHex } from '../../../src/lib/crypto.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import type { TestInstance } from '../../support/service.ts';
import type { Bench, Fault } from '../bench.ts';
import { planFaults } from '../plans.ts';
import { divertPorts } from '../seams.ts';
import { startTroubleProxy, type TroubleProxy } from '../trouble-proxy.ts';
import { terminalWithinMs, type World } from '../world.ts';

/** The gateway's answer, good or not, comes within this time. */
const answerWithinMs = 15_000;
const troubleMs = { short: 2_000, full: 4_000 };
const callers = 8;

export const brokenLinks: Fault = {
  name: 'links to Redis',
  what: 'slow by half a second, half-open, reset: every answer is the right one or an error in time, and all is well at once afterwards',
  tries: { short: 3, full: 12 },
  async run(bench) {
    const world = await bench.fresh({ entry: 'test/chaos/faulty-service.ts' });
    const created = await createQuietly(world);
    const nodePort = await world.withRows(
      async (rows) => rows.find(({ id }) => id === created.id)?.nodePort ?? 0,
    );
    const proxy = await startTroubleProxy(nodePort);
    bench.owner.teardown(() => proxy.close());
    divertPorts(world.service.dataDir, { [nodePort]: proxy.port });
    // Connections that are open go straight to Redis until they are made anew.
    await world.service.end('SIGTERM');
    await world.service.start();
    const { host, port } = await world.awaitInstance(created.id, () => true);
    const instance = { ...created, host, port };
    for (let count = 0; count < bench.tries; count += 1) {
      const trouble = (['slow', 'half-open', 'reset'] as const)[count % 3] ?? 'slow';
      await tryTrouble(bench, world, { instance, proxy, trouble });
    }
    await bench.audit(world);
  },
};

interface Scene {
  readonly instance: TestInstance;
  readonly proxy: TroubleProxy;
  readonly trouble: 'slow' | 'half-open' | 'reset';
}

async function tryTrouble(bench: Bench, world: World, scene: Scene): Promise<void> {
  const { instance, proxy, trouble } = scene;
  await bench.attempt(trouble, async (broken) => {
    const door = openDoor(instance);
    try {
      await bothEcho(world, instance, door);
      proxy.make(trouble);
      const endMs = performance.now() + troubleMs[bench.isShort ? 'short' : 'full'];
      const tally = { right: 0, errors: 0 };
      await Promise.all(
        Array.from({ length: callers }, async (_, index) => {
          while (performance.now() < endMs) {
            const isRight = await echo(world, instance, index % 2 === 0 ? door : undefined);
            tally[isRight ? 'right' : 'errors'] += 1;
            if (!isRight) await sleep(50);
          }
        }),
      );
      proxy.make('none');
      broken();
      bench.say(`  ${trouble}: ${tally.right} right answers, ${tally.errors} errors`);
      if (trouble === 'slow' && tally.right === 0) throw new Error('slow must still answer');
      const isWell = (): Promise<true | undefined> => bothEcho(world, instance, door);
      await pollUntil(isWell, { timeoutMs: terminalWithinMs, intervalMs: 50 });
    } finally {
      proxy.make('none');
      door.disconnect();
    }
  });
}

async function bothEcho(
  world: World,
  instance: TestInstance,
  door: Redis,
): Promise<true | undefined> {
  if (!(await echo(world, instance, undefined))) throw new Error('the gateway does not answer');
  if (!(await echo(world, instance, door))) throw new Error('the door does not answer');
  return true;
}

/** One request with a word that nobody else sends. @throws when somebody else's answer comes. */
async function echo(
  world: World,
  instance: TestInstance,
  door: Redis | undefined,
): Promise<boolean> {
  const nonce = randomHex(8);
  const asked = door ? door.echo(nonce) : world.command(instance, 'ECHO', nonce);
  asked.catch(() => undefined);
  const late = sleep(answerWithinMs, 'late' as const, { ref: false });
  const answer = await Promise.race([asked.catch(() => undefined), late]);
  if (answer === undefined) return false;
  if (answer === 'late' && door) return false;
  if (answer !== nonce) throw new Error(`the answer to ${nonce} was ${String(answer)}`);
  return true;
}

function openDoor({ host, port, key }: TestInstance): Redis {
  const redis = new Redis({
    host,
    port,
    password: key,
    commandTimeout: 3_000,
    socketTimeout: 3_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 100,
  });
  redis.on('error', () => {});
  return redis;
}

async function createQuietly(world: World): Promise<TestInstance> {
  const instance = await world.request();
  planFaults(world.service.dataDir, instance.id, []);
  const { status } = await world.awaitEnd(instance.operationId);
  if (status !== 'SUCCEEDED') throw new Error('what the fault needs was not created');
  return instance;
}
