/**
 * Which of the ways that a server holds open (connections of the door, streams of the gateway) another
 * server has closed: its drops reach only its own.
 */
import type { EntityManager, Orm } from '../store/database.ts';
import { type DataKey, DataKeyEntity, KeyBindingEntity } from '../store/entities/data-key.ts';
import { type Instance, InstanceEntity } from '../store/entities/instance.ts';

/** So many ids are asked for in one query. */
const batchSize = 1_000;

/** A key that is in use at an instance, as it was when that began. */
export interface Way {
  readonly key: Readonly<Pick<DataKey, 'id' | 'ipWhitelist'>>;
  readonly instance: Readonly<Pick<Instance, 'id'>>;
}

/**
 * Gives those ways whose key or instance is gone, whose key was unbound, or whose allowed addresses are
 * others now. What a key may do, and until when, Redis itself sees to.
 */
export async function findLostWays<W extends Way>(orm: Orm, ways: readonly W[]): Promise<Set<W>> {
  const em = orm.em.fork() as EntityManager;
  const keyIds = [...new Set(ways.map(({ key }) => key.id))];
  const lost = new Set<W>();
  for (let first = 0; first < keyIds.length; first += batchSize) {
    const ids = keyIds.slice(first, first + batchSize);
    const openWays = await readWays(em, ids);
    const asked = new Set(ids);
    for (const way of ways) {
      const { key, instance } = way;
      const allowed = openWays.get(`${key.id}/${instance.id}`);
      if (asked.has(key.id) && allowed !== JSON.stringify(key.ipWhitelist)) lost.add(way);
    }
  }
  return lost;
}

/** The allowed addresses of each pair of key and instance that belong together now. */
async function readWays(
  em: EntityManager,
  keyIds: readonly string[],
): Promise<Map<string, string>> {
  const keyId = { $in: [...keyIds] };
  const keys = await em.find(DataKeyEntity, { id: keyId }, { fields: ['id', 'ipWhitelist'] });
  const bindings = await em.find(KeyBindingEntity, { keyId });
  const instanceIds = [...new Set(bindings.map(({ instanceId }) => instanceId))];
  const present = { id: { $in: instanceIds }, desired: 'present' } as const;
  const instances = await em.find(InstanceEntity, present, { fields: ['id'] });
  const living = new Set(instances.map(({ id }) => id));
  const addresses = new Map(keys.map(({ id, ipWhitelist }) => [id, JSON.stringify(ipWhitelist)]));
  return new Map(
    bindings
      .filter(({ instanceId }) => living.has(instanceId))
      .map((binding) => {
        return [`${binding.keyId}/${binding.instanceId}`, addresses.get(binding.keyId) ?? ''];
      }),
  );
}
