/**
 * Access control inside an instance: one ACL user a bound key, saved where a restart finds it.
 *
 * Guarantees: after `sync` Redis has exactly the users the database says (and `default`, off, and the
 * platform's own), whatever it had before; running it twice changes nothing the second time. In this
 * process one runs at a time for an instance, and one that begins after a change was committed sees it. A
 * change that comes meanwhile, from whatever server, raises `accessRevision`, and then it goes again: so the
 * last state always wins. What differed though nobody had changed a key is in the audit log.
 */

import { type ChainableCommander, ReplyError } from 'ioredis';
import { platformUser } from '../../infra/platform-user.ts';
import { servesData } from '../instances/states.ts';
import { type AclUser, aclRules } from '../keys/acl-rules.ts';
import { listInstanceKeys, toAclUser } from '../keys/data-keys.ts';
import { isExpired } from '../keys/key-terms.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';
import {
  type AccessDrift,
  compareUsers,
  isAsPrinted,
  isEmpty,
  type LeftUsers,
  noDrift,
  noteDrift,
  printUsers,
  type Users,
  withoutExplained,
  withoutUsers,
} from './access-drift.ts';
import type { InstanceClients } from './instance-redis.ts';

/** Redis's own user, as instances are born with it: nobody comes in without a name. */
const defaultUserOff = 'off resetpass resetkeys resetchannels clearselectors -@all'.split(' ');
/** Users that are not keys: Redis's own and the platform's. */
const systemUsers = ['default', platformUser];
/** Keys that change faster than this many rounds are left to the sweep. */
const roundsMax = 10;
/** How many instances' users are remembered; beyond it all are forgotten, and drift is told less exactly. */
const rememberedMax = 10_000;

interface AccessSyncServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly clients: InstanceClients;
}

export interface AccessSync {
  /**
   * Makes an instance's ACL users those of the database.
   * @returns what Redis had differently, changes of keys apart.
   * @throws when the instance does not answer.
   */
  sync(instanceId: string): Promise<AccessDrift>;
  /**
   * Whether an instance's users, as ACL LIST told them, are as this process left them for the keys of its
   * row: then there is nothing to sync. False where it has not left them yet.
   */
  isAsLeft(instance: Pick<Instance, 'id' | 'accessRevision'>, lines: readonly string[]): boolean;
}

export function createAccessSync(services: AccessSyncServices): AccessSync {
  const running = new Map<string, Promise<AccessDrift>>();
  const waiting = new Map<string, Promise<AccessDrift>>();
  const left = new Map<string, LeftUsers>();

  function run(instanceId: string): Promise<AccessDrift> {
    if (left.size >= rememberedMax) left.clear();
    const work = settleAccess(services, left, instanceId).finally(() => running.delete(instanceId));
    running.set(instanceId, work);
    return work;
  }

  return {
    isAsLeft({ id, accessRevision }, lines) {
      const users = left.get(id);
      return users?.revision === accessRevision && isAsPrinted(readUsers(lines), users);
    },
    sync(instanceId) {
      // Who waits has not looked at the database yet, so it serves everybody who comes meanwhile.
      const next = waiting.get(instanceId);
      if (next) return next;
      const current = running.get(instanceId);
      if (!current) return run(instanceId);
      const begin = (): Promise<AccessDrift> => {
        waiting.delete(instanceId);
        return run(instanceId);
      };
      const after = current.then(begin, begin);
      waiting.set(instanceId, after);
      return after;
    },
  };
}

async function settleAccess(
  services: AccessSyncServices,
  left: Map<string, LeftUsers>,
  instanceId: string,
): Promise<AccessDrift> {
  for (let round = 1; round <= roundsMax; round += 1) {
    const wanted = await readWanted(services, instanceId);
    if (!wanted) return noDrift;
    const { instance } = wanted;
    const { before, after } = await applyTwice(services, wanted);
    const leftBefore = left.get(instanceId);
    left.set(instanceId, printUsers(after, instance.accessRevision));
    if (!(await markApplied(services, instance))) continue;
    // In a later round Redis is as the round before, perhaps of older wishes, has made it.
    if (round > 1) return noDrift;
    const drift = findDrift(wanted, { before, after }, leftBefore);
    await noteDrift(services, instance, drift);
    return drift;
  }
  return noDrift;
}

function findDrift(
  { instance, expired }: Wanted,
  { before, after }: Applied,
  left: LeftUsers | undefined,
): AccessDrift {
  // Before it is RUNNING, an instance has what its first start or its volume gave it.
  if (!servesData(instance.status)) return noDrift;
  const differences = withoutUsers(compareUsers(before, after), expired);
  if (left?.revision === instance.accessAppliedRevision) {
    return withoutExplained(differences, before, left);
  }
  return isPending(instance) ? noDrift : differences;
}

interface Wanted {
  readonly instance: Instance;
  readonly users: readonly AclUser[];
  /** Keys that are bound and out of time: that Redis still has them is no fault. */
  readonly expired: ReadonlySet<string>;
}

/** The row comes first: the users are of its revision or newer, never older. */
async function readWanted(
  { orm, clock }: AccessSyncServices,
  instanceId: string,
): Promise<Wanted | undefined> {
  const em = orm.em.fork() as EntityManager;
  const instance = await em.findOne(InstanceEntity, { id: instanceId });
  if (!instance) return undefined;
  const keys = await listInstanceKeys(em, instanceId);
  const now = clock.now();
  const users = keys.filter((key) => !isExpired(key, now)).map(toAclUser);
  const expired = keys.filter((key) => isExpired(key, now)).map(({ id }) => id);
  return { instance, users, expired: new Set(expired) };
}

function isPending({ accessRevision, accessAppliedRevision }: Instance): boolean {
  return accessAppliedRevision < accessRevision;
}

interface Applied {
  readonly before: Users;
  readonly after: Users;
}

/** A kept connection may have ended unnoticed, e.g. with its container: then another one is tried once. */
async function applyTwice(
  { clients }: AccessSyncServices,
  { instance, users }: Wanted,
): Promise<Applied> {
  const apply = (): Promise<Applied> =>
    clients.use(instance, async (redis) => {
      const before = readUsers((await redis.call('ACL', 'LIST')) as string[]);
      const after = await writeUsers(redis.pipeline(), users, before);
      // A pending change may be in Redis's memory already, from a server that died before it was saved.
      const isSaved = !isPending(instance) && isEmpty(compareUsers(before, after));
      if (!isSaved) await redis.call('ACL', 'SAVE');
      return { before, after };
    });
  try {
    return await apply();
  } catch (error) {
    if (error instanceof ReplyError) throw error;
    return await apply();
  }
}

/** Sets the wanted users, removes the others, and gives all there are then. */
async function writeUsers(
  pipeline: ChainableCommander,
  users: readonly AclUser[],
  before: Users,
): Promise<Users> {
  pipeline.call('ACL', 'SETUSER', 'default', ...defaultUserOff);
  for (const user of users) pipeline.call('ACL', 'SETUSER', user.name, ...aclRules(user));
  const kept = new Set([...systemUsers, ...users.map(({ name }) => name)]);
  const others = [...before.keys()].filter((name) => !kept.has(name));
  if (others.length > 0) pipeline.call('ACL', 'DELUSER', ...others);
  pipeline.call('ACL', 'LIST');
  const replies = (await pipeline.exec()) ?? [];
  for (const [error] of replies) if (error) throw error;
  return readUsers(replies.at(-1)?.[1] as string[]);
}

/** The rules by user, from lines such as `user key_… on #… ~* &* -@all …`. */
function readUsers(lines: readonly string[]): Users {
  return new Map(
    lines.map((line) => {
      const [, name = '', rules = ''] = /^user (\S+) (.*)$/s.exec(line) ?? [];
      return [name, rules];
    }),
  );
}

/** Records how far Redis has followed; false where something newer is to be done. */
async function markApplied({ orm }: AccessSyncServices, instance: Instance): Promise<boolean> {
  const { id, accessRevision } = instance;
  if (isPending(instance)) {
    const where = { id, accessAppliedRevision: { $lt: accessRevision } };
    const changes = { accessAppliedRevision: accessRevision };
    await orm.em.fork().nativeUpdate(InstanceEntity, where, changes);
  }
  const now = await orm.em.fork().findOne(InstanceEntity, { id }, { fields: ['accessRevision'] });
  return !now || now.accessRevision <= accessRevision;
}
