/** What the sweep of strays does about trouble with Docker, which is played by a small server here. */
import { once } from 'node:events';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { newId } from '../../../src/lib/ids.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import type { WorkerSettings } from '../../../src/provisioning/messages.ts';
import { type StrayServices, sweepStrays } from '../../../src/provisioning/strays.ts';
import type { Orm } from '../../../src/store/database.ts';
import { createTestClock } from '../../support/clock.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/folders.ts';
import { addInstance } from '../../support/rows.ts';
import { testConfig } from '../../support/test-config.ts';

/** Has a container for each id, named by it, of which one cannot be removed. */
async function startDocker(t: ExecutionContext, ids: readonly string[], stuckId: string) {
  const removed: string[] = [];
  const server = createServer(({ method, url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://docker');
    const filters = searchParams.get('filters') ?? '';
    if (method === 'DELETE') {
      const id = pathname.split('/').at(-1) ?? '';
      if (id !== stuckId) removed.push(id);
      response.statusCode = id === stuckId ? 409 : 204;
      response.end();
    } else if (pathname.endsWith('/volumes')) response.end('{"Volumes":[]}');
    else {
      const isOfAll = filters.includes('"swiftcache.instance"');
      const asked = ids.filter((id) => isOfAll || filters.includes(`instance=${id}`));
      const found = asked.map((id) => ({ Id: id, Labels: { 'swiftcache.instance': id } }));
      response.end(JSON.stringify(found));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { dockerHost: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, removed };
}

/** The files of each stack, old enough to be swept. */
function addStacks(t: ExecutionContext, stacks: readonly string[]) {
  const stacksDir = temporaryFolder(t);
  const stateDir = temporaryFolder(t);
  mkdirSync(join(stateDir, '.pulumi/stacks/swiftcache'), { recursive: true });
  for (const stack of stacks) {
    const file = join(stacksDir, `Pulumi.${stack}.yaml`);
    writeFileSync(file, 'config: {}\n');
    utimesSync(file, 1, 1);
  }
  const settings = { stacksDir, backendUrl: `file://${stateDir}` } as WorkerSettings;
  return { settings, list: () => readdirSync(stacksDir) };
}

function servicesOf(orm: Orm, dockerHost: string, settings: WorkerSettings): StrayServices {
  return {
    orm,
    clock: createTestClock(),
    config: testConfig({ DOCKER_HOST: dockerHost }),
    logger: createLogger('silent'),
    installationId: 'swc_test',
    settings,
    isGone: () => false,
  };
}

testOnEachDatabase(
  'a stray that cannot be removed is in the way of no other, and of no files',
  async (t, orm) => {
    const ids: string[] = [];
    while (ids.length < 3) ids.push((await addInstance(orm, { status: 'DELETED' })).id);
    const [stuckId = '', ...others] = ids;
    const { dockerHost, removed } = await startDocker(t, ids, stuckId);
    const { settings, list } = addStacks(t, others);
    await sweepStrays(servicesOf(orm, dockerHost, settings), new Set());
    t.deepEqual(removed, others);
    t.deepEqual(list(), []);
  },
);

testOnEachDatabase(
  'where Docker does not answer, files of the deleted go, and of the unknown, which may have a volume, stay',
  async (t, orm) => {
    const { id } = await addInstance(orm, { status: 'DELETED' });
    const unknownId = newId('inst');
    const { settings, list } = addStacks(t, [id, unknownId]);
    await sweepStrays(servicesOf(orm, 'tcp://127.0.0.1:1', settings), new Set());
    t.deepEqual(list(), [`Pulumi.${unknownId}.yaml`]);
  },
);
