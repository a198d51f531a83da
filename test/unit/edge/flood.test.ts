/** A client far over its rate: what it costs its instance, and what others there feel of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import {
  createRefusalAllowance,
  refusalsPerSecondMax,
} from '../../../src/edge/refusal-allowance.ts';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import type { RedisContainer } from '../../support/redis-container.ts';
import { addKey, type Client, openClient } from './door.ts';
import { openRealDoor, signUp, startInstanceRedis } from './real-door.ts';

let redis: RedisContainer;
test.before(async () => {
  redis = await startInstanceRedis();
});
test.after.always(async () => await redis?.remove());

const rate = 50;
const floodMs = 2_500;
/** A second more than it takes may be begun and ended within. */
const seconds = Math.ceil(floodMs / 1_000) + 2;
const commands = 200_000;

async function signIn(t: ExecutionContext, port: number, secret: string): Promise<Client> {
  const client = await openClient(t, port);
  client.send(`AUTH ${secret}\r\n`);
  t.is(await client.readLine(), '+OK');
  return client;
}

/** What Redis has refused since it began. */
async function countErrors(): Promise<number> {
  const stats = await redis.admin.info('errorstats');
  return Number(/errorstat_ERR:count=(\d+)/.exec(stats)?.[1] ?? 0);
}

test('a key is refused at once so often a second, and then again', (t) => {
  let nowMs = 0;
  const { take } = createRefusalAllowance(() => nowMs);
  const takeAll = (): number => {
    let taken = 0;
    while (take()) taken += 1;
    return taken;
  };
  t.is(takeAll(), refusalsPerSecondMax);
  nowMs = 999;
  t.false(take());
  nowMs = 1_000;
  t.is(takeAll(), refusalsPerSecondMax);
});

test.serial(
  'a flood is slowed, keeps its connection and order, and others their pace',
  async (t) => {
    const door = await openRealDoor(t, redis);
    const flooding = await addKey(door.orm, [door.instanceId]);
    await door.orm.em
      .fork()
      .nativeUpdate(DataKeyEntity, { id: flooding.keyId }, { rateLimit: rate });
    await signUp(redis, flooding);
    const other = await signIn(t, door.port, door.secret);
    const clients = [1, 2].map(() => signIn(t, door.port, flooding.secret));
    const [flooder, second] = (await Promise.all(clients)) as [Client, Client];
    const errorsBefore = await countErrors();
    const numbers = Array.from({ length: commands }, (_, number) => `ECHO ${number}\r\n`).join('');
    const startedMs = performance.now();
    flooder.send(numbers);
    second.send(numbers);

    const latenciesMs: number[] = [];
    while (performance.now() - startedMs < floodMs) {
      const sentMs = performance.now();
      other.send('PING\r\n');
      t.is(await other.readLine(), '+PONG');
      latenciesMs.push(performance.now() - sentMs);
      await sleep(5);
    }
    const refused = (await countErrors()) - errorsBefore;
    t.true(refused >= refusalsPerSecondMax, `${refused} refused`);
    t.true(refused <= refusalsPerSecondMax * seconds, `${refused} refused in ${floodMs} ms`);
    const median = latenciesMs.sort((a, b) => a - b)[latenciesMs.length >> 1] ?? Infinity;
    t.true(median < 10, `${median} ms`);

    t.false(flooder.socket.destroyed);
    t.is(await readNumbers(t, flooder, refusalsPerSecondMax), undefined);
    const { counters, refusals } = door.edge.readFigures();
    t.true(counters.slowed > 0);
    t.true(refusals.rate_limited >= refused);
  },
);

/** Reads so many replies to ECHO: each the next number or its refusal. */
async function readNumbers(t: ExecutionContext, { readLine }: Client, count: number) {
  for (let number = 0; number < count; number += 1) {
    const line = await readLine();
    if (line.startsWith('-')) t.regex(line, /^-ERR rate limit exceeded: this key allows 50 /);
    else t.is(await readLine(), String(number));
  }
}
