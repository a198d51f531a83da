/** Which of the doors' open ways another server has closed: its drops reach only its own connections. */
import type { EntityManager, Orm } from '../store/database.ts';
import { DataKeyEntity, KeyBindingEntity } from '../store/entities/data-key.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import type { Route } from './route.ts';

/** So many ids are asked for in one query. */
const batchSize = 1_000;

/**
 * Gives those routes whose key or instance is gone, whose key was unbound, or whose allowed addresses are
 * others now. What a key may do, and until when, Redis itself sees to.
 */
export async function findLostRoutes(orm: Orm, routes: readonly Route[]): Promise<Set<Route>> {
  const em = orm.em.fork() as EntityManager;
  const keyIds = [...new Set(routes.map(({ key }) => key.id))];
  const lost = new Set<Route>();
  for (let first = 0; first < keyIds.length; first += batchSize) {
    const ids = keyIds.slice(first, first + batchSize);
    const ways = await readWays(em, ids);
    const asked = new Set(ids);
    for (const route of routes) {
      const { key, instance } = route;
      const allowed = ways.get(`${key.id}/${instance.id}`);
      if (asked.has(key.id) && allowed !== JSON.stringify(key.ipWhitelist)) lost.add(route);
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
