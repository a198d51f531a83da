/**
 * A persistent Redis is killed again and again under a numbered writer.
 *
 * What was acknowledged and is gone afterwards, is counted in the time between the acknowledgement of the
 * first lost write and the kill. A killed process leaves what it wrote with the kernel: a cut of the power
 * would show more, and no test on one machine can make one.
 */
import { Redis } from 'ioredis';
import { pollUntil } from '../../../src/lib/retry.ts';
import { asPlatform } from '../../support/instance-access.ts';
import type { TestInstance } from '../../support/service.ts';
import type { Bench, Fault } from '../bench.ts';
import { terminalWithinMs, type World } from '../world.ts';
import { killRedis } from './docker-objects.ts';

const everysecLossMsMax = 2_000;
/**
 * A container that ran for ten seconds is started again at once. Before that, Docker doubles its wait with
 * each end, up to a minute, and the wait would be what is measured.
 */
const writeForMs = 10_500;
const writeForMsOfOne = 1_500;

const durabilityFault = (mode: 'everysec' | 'always', lossMsMax: number): Fault => ({
  name: `writes kept by ${mode}`,
  what: `kill -9 of a persistent Redis under a numbered writer: at most ${lossMsMax} ms of acknowledged writes are lost`,
  tries: { short: mode === 'always' ? 0 : 1, full: 50 },
  async run(bench) {
    const world = await bench.shared();
    // The product sets everysec and would set it again: it is told to leave things as they are.
    const instance = await world.create({ persistence: true, driftPolicy: 'report' });
    for (let count = 1; count <= bench.tries; count += 1) {
      await setFsync(world, instance, mode);
      await bench.attempt(`kill ${count}`, (broken) =>
        killUnderWriter(bench, world, { instance, lossMsMax, broken }),
      );
    }
    await bench.audit(world);
    await world.remove(instance.id);
  },
});

export const writesEverysec = durabilityFault('everysec', everysecLossMsMax);
export const writesAlways = durabilityFault('always', 0);

async function setFsync(world: World, instance: TestInstance, mode: string): Promise<void> {
  await world.withRows(async (_rows, orm) =>
    asPlatform(world.service, orm, instance.id, (redis) =>
      redis.config('SET', 'appendfsync', mode),
    ),
  );
}

interface Scene {
  readonly instance: TestInstance;
  readonly lossMsMax: number;
  readonly broken: () => void;
}

async function killUnderWriter(
  bench: Bench,
  world: World,
  { instance, lossMsMax, broken }: Scene,
): Promise<void> {
  const acknowledgedAtMs: number[] = [];
  const writer = openWriter(instance);
  const writing = (async () => {
    for (let number = 1; ; number += 1) {
      await writer.set('number', String(number));
      acknowledgedAtMs.push(performance.now());
    }
  })().catch(() => undefined);
  const until = performance.now() + (bench.tries > 1 ? writeForMs : writeForMsOfOne);
  await pollUntil(async () => performance.now() > until || undefined, {
    timeoutMs: terminalWithinMs,
    intervalMs: 20,
  });
  await killRedis(world, instance.id);
  const killedAtMs = performance.now();
  broken();
  await writing;
  writer.disconnect();
  const kept = Number(
    await pollUntil(
      async () =>
        (await world.command(instance, 'GET', 'number').catch(() => undefined)) ?? undefined,
      { timeoutMs: terminalWithinMs, intervalMs: 50 },
    ),
  );
  const lost = acknowledgedAtMs.length - kept;
  const lostMs = lost > 0 ? killedAtMs - (acknowledgedAtMs[kept] ?? killedAtMs) : 0;
  bench.say(
    `  ${acknowledgedAtMs.length} acknowledged, ${Math.max(0, lost)} lost (${lostMs.toFixed(0)} ms)`,
  );
  if (acknowledgedAtMs.length === 0) throw new Error('the writer never wrote');
  if (lostMs > lossMsMax) throw new Error(`${lost} writes of ${lostMs} ms are lost`);
}

function openWriter({ host, port, key }: TestInstance): Redis {
  const redis = new Redis({
    host,
    port,
    password: key,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  redis.on('error', () => {});
  return redis;
}
