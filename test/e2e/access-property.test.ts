/**
 * Access as a property: after any sequence of changes of keys, who may connect and what Redis itself says
 * equal the database. A failure prints the seed and the shortest sequence that was found.
 */
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { listInstanceIds } from '../../src/keys/read-keys.ts';
import type { EntityManager, Orm } from '../../src/store/database.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../src/store/entities/data-key.ts';
import { asPlatform, openServiceDatabase, signIn, tryDoor } from '../support/instance-access.ts';
import {
  awaitOperation,
  createRunningInstance,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

const runs = 6;
const commandsMax = 12;
const keysMax = 5;
const timeLimitMs = 45_000;

interface World {
  readonly t: ExecutionContext;
  readonly service: TestService;
  readonly orm: Orm;
  readonly instances: readonly TestInstance[];
  /** The secrets of all keys ever made, by id: what a deleted one opens must be nothing. */
  readonly secrets: Map<string, string>;
}

/** What a sequence is made of; `key` and `instance` are places in the lists there are by then. */
type Step =
  | { readonly kind: 'create'; readonly instances: readonly number[]; readonly canWrite: boolean }
  | { readonly kind: 'patch'; readonly key: number; readonly canWrite: boolean }
  | { readonly kind: 'bind' | 'unbind'; readonly key: number; readonly instance: number }
  | { readonly kind: 'delete'; readonly key: number }
  | { readonly kind: 'restart'; readonly instance: number };

const key = fc.nat(keysMax - 1);
const instance = fc.nat(1);
const canWrite = fc.boolean();
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      instances: fc.uniqueArray(instance, { maxLength: 2 }),
      canWrite,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('patch' as const), key, canWrite }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('bind' as const, 'unbind'), key, instance }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), instance }) },
);

test.serial(
  'after each change of keys, the door and Redis say what the database says',
  async (t) => {
    t.timeout(180_000);
    const service = await startTestService(t);
    const instances = await Promise.all([
      createRunningInstance(service),
      createRunningInstance(service),
    ]);
    const orm = await openServiceDatabase(service);
    t.teardown(() => orm.close());
    const world = { t, service, orm, instances, secrets: new Map<string, string>() };
    let steps = 0;
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: commandsMax }),
      async (sequence) => {
        await removeAllKeys(world);
        for (const each of sequence) {
          await take(world, each);
          await compare(world, each);
          steps += 1;
        }
      },
    );
    const limits = { interruptAfterTimeLimit: timeLimitMs, markInterruptAsFailure: false };
    const result = await fc.check(property, { numRuns: runs, ...limits });
    t.log(`seed ${result.seed}, ${result.numRuns} sequences, ${steps} steps`);
    const report = `${fc.defaultReportMessage(result)}\n${result.errorInstance}`;
    t.false(result.failed, report);
    t.true(steps > 0);
  },
);

async function take(world: World, given: Step): Promise<void> {
  const { service, instances } = world;
  const call = service.api.call;
  const keyIds = await listKeyIds(world);
  const place = (index: number): string => (instances[index] as TestInstance).id;
  if (given.kind === 'create') {
    if (keyIds.length >= keysMax) return;
    const { createdKey } = await call('POST', '/api/v1/api-keys', {
      organizationId: service.organizationId,
      name: 'a key',
      permissions: permissionsOf(given),
      instanceIds: given.instances.map(place),
    });
    world.secrets.set(createdKey.id, createdKey.plainTextKey);
    return;
  }
  if (given.kind === 'restart') {
    const path = `/api/v1/instances/${place(given.instance)}/restart`;
    const { operation } = await call('POST', path);
    await awaitOperation(service, operation.id);
    return;
  }
  const keyId = keyIds[given.key];
  if (!keyId) return;
  if (given.kind === 'patch') {
    await call('PATCH', `/api/v1/api-keys/${keyId}`, { permissions: permissionsOf(given) });
  } else if (given.kind === 'delete') {
    await call('DELETE', `/api/v1/api-keys/${keyId}`);
  } else {
    const method = given.kind === 'bind' ? 'PUT' : 'DELETE';
    await call(method, `/api/v1/instances/${place(given.instance)}/api-keys/${keyId}`);
  }
}

function permissionsOf({ canWrite: isWriter }: { readonly canWrite: boolean }): string[] {
  return isWriter ? ['read', 'write'] : ['read'];
}

async function listKeyIds({ orm }: World): Promise<string[]> {
  const keys = await orm.em.fork().find(DataKeyEntity, {}, { orderBy: { createdAt: 1, id: 1 } });
  return keys.map(({ id }) => id);
}

async function removeAllKeys(world: World): Promise<void> {
  for (const id of await listKeyIds(world)) {
    await world.service.api.call('DELETE', `/api/v1/api-keys/${id}`);
  }
}

async function compare(world: World, after: Step): Promise<void> {
  const { orm, instances, secrets } = world;
  const em = orm.em.fork() as EntityManager;
  for (const { id } of instances) await compareUsers(world, id, after);
  for (const [keyId, secret] of secrets) {
    const found = await em.findOne(DataKeyEntity, { id: keyId });
    const bound = found ? await listInstanceIds(em, keyId) : [];
    for (const { id, port } of instances) {
      const wanted = bound.includes(id) ? 'OK' : 'WRONGPASS';
      const said = await tryDoor({ port, secret, user: id });
      expect(said, wanted, `${keyId} at ${id}`, after);
    }
    if (found && bound[0]) await compareRights(world, found.permissions, bound[0], secret, after);
  }
}

/** A write works where the key may write, and only there. */
async function compareRights(
  { instances }: World,
  permissions: readonly string[],
  instanceId: string,
  secret: string,
  after: Step,
): Promise<void> {
  const port = (instances[0] as TestInstance).port;
  const redis = await signIn({ port, secret, user: instanceId });
  if (typeof redis === 'string') throw new Error(redis);
  try {
    const said = await redis.set('k', 'v').catch((error: Error) => error.message.split(' ')[0]);
    expect(said, permissions.includes('write') ? 'OK' : 'NOPERM', 'SET', after);
  } finally {
    redis.disconnect();
  }
}

async function compareUsers(
  { orm, service }: World,
  instanceId: string,
  after: Step,
): Promise<void> {
  const em = orm.em.fork();
  const bindings = await em.find(KeyBindingEntity, { instanceId });
  const keys = await em.find(DataKeyEntity, { id: { $in: bindings.map(({ keyId }) => keyId) } });
  await asPlatform(service, orm, instanceId, async (redis) => {
    const users = (await redis.acl('USERS')) as string[];
    const wanted = ['default', 'swiftcache', ...keys.map(({ id }) => id)].sort();
    expect(users.sort().join(' '), wanted.join(' '), 'ACL USERS', after);
    const lines = (await redis.acl('LIST')) as string[];
    for (const { id, secretHash, permissions } of keys) {
      const line = lines.find((text) => text.startsWith(`user ${id} on `)) ?? '';
      expect(/#\w+/g.exec(line)?.join(), `#${secretHash}`, `the passwords of ${id}`, after);
      const said = await redis.call('ACL', 'DRYRUN', id, 'SET', 'k', 'v');
      expect(said === 'OK', permissions.includes('write'), `${id} may SET`, after);
    }
  });
}

function expect(said: unknown, wanted: unknown, what: string, after: Step): void {
  if (said === wanted) return;
  throw new Error(`${what} after ${JSON.stringify(after)}: ${said} instead of ${wanted}`);
}
