/** A whole service whose redis:// door is two processes of their own. */
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { pollUntil } from '../../src/lib/retry.ts';
import { findProcessOf, listDoorProcesses } from '../support/door-processes.ts';
import { isRunning } from '../support/processes.ts';
import {
  createRunningInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

const patience = { timeoutMs: 30_000, intervalMs: 20 };
/** A second is what is promised; a machine that is busy with other tests gets another one. */
const endMsMax = 2_000;
const clientsMax = 40;
const token = 'm'.repeat(32);

test('two door processes hold keys and rates together, and one that is killed harms its own clients alone', async (t) => {
  const service = await startTestService(t, {
    SWIFTCACHE_REDIS_PROCESSES: '2',
    SWIFTCACHE_METRICS_TOKEN: token,
  });
  const instance = await createRunningInstance(service);
  const before = listDoorProcesses(service);
  t.is(before.length, 2);
  const path = `/api/v1/instances/${instance.id}/api-keys`;
  const addKey = async (rateLimit: number) => {
    const body = { name: 'test', rateLimit };
    const { createdKey } = await service.api.call('POST', path, body);
    return { ...instance, keyId: createdKey.id, key: createdKey.plainTextKey as string };
  };
  /** Clients of a key until each process has one; gives one of each, and all. */
  async function connectBoth(target: TestInstance): Promise<{ each: Redis[]; all: Redis[] }> {
    const byProcess = new Map<number, Redis>();
    const all: Redis[] = [];
    while (byProcess.size < 2 && all.length < clientsMax) {
      const client = connect(t, target);
      await client.ping();
      all.push(client);
      byProcess.set(await findProcessOf(service, client), client);
    }
    t.deepEqual([...byProcess.keys()].sort(), listDoorProcesses(service).sort());
    return { each: [...byProcess.values()], all };
  }

  // One rate over both.
  const slow = await connectBoth(await addKey(20));
  const begunMs = performance.now();
  const sent = slow.each.flatMap((client) => Array.from({ length: 100 }, () => client.ping()));
  const outcomes = await Promise.allSettled(sent);
  const windows = Math.ceil((performance.now() - begunMs) / 1_000) + 1;
  const passed = outcomes.filter(({ status }) => status === 'fulfilled').length;
  t.true(passed > 0 && passed <= 20 * windows, `${passed} passed in ${windows} s`);
  for (const client of slow.all) client.disconnect();

  // A deleted key ends on both.
  const ending = await addKey(1_000);
  const { each } = await connectBoth(ending);
  const ended = each.map((client) => new Promise((resolve) => client.once('close', resolve)));
  await service.api.call('DELETE', `/api/v1/api-keys/${ending.keyId}`);
  const deletedMs = performance.now();
  await Promise.all(ended);
  const tookMs = performance.now() - deletedMs;
  t.true(tookMs < endMsMax, `${tookMs} ms`);
  for (const client of each) client.disconnect();

  // One is killed, after it has told what it counted.
  const counted = 200;
  await pollUntil(async () => (await countCommands(service)) >= counted || undefined, patience);
  const [hit, spared] = (await connectBoth(instance)).each as [Redis, Redis];
  let breaks = 0;
  spared.on('close', () => {
    breaks += 1;
  });
  const killed = await findProcessOf(service, hit);
  const isBack = new Promise((resolve) => hit.once('close', () => hit.once('ready', resolve)));
  process.kill(killed, 'SIGKILL');
  await isBack;
  t.is(await hit.set('after', 'it'), 'OK');
  t.is(await spared.get('after'), 'it');
  t.is(breaks, 0);
  await pollUntil(async () => {
    const now = listDoorProcesses(service);
    return (now.length === 2 && !now.includes(killed)) || undefined;
  }, patience);
  t.true((await countCommands(service)) >= counted, 'what it had told is still counted');

  t.is(await service.end('SIGTERM'), 0);
  t.deepEqual(listDoorProcesses(service), []);

  // Where the service is killed they end by themselves.
  await service.start();
  const orphans = listDoorProcesses(service);
  t.is(orphans.length, 2);
  await service.end('SIGKILL');
  await pollUntil(async () => !orphans.some(isRunning) || undefined, patience);
});

async function countCommands({ url }: TestService): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${token}` } });
  const metrics = await response.text();
  return Number(/^swiftcache_door_commands_total (\d+)/m.exec(metrics)?.[1]);
}

/** A client that comes back by itself. */
function connect(t: ExecutionContext, { host, port, key }: TestInstance): Redis {
  const options = { host, port, password: key, enableReadyCheck: false, retryStrategy: () => 50 };
  const client = new Redis(options);
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
  return client;
}
