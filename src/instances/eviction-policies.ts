/** The eviction policies of Redis (redis.io/docs/latest/develop/reference/eviction). */
export const evictionPolicies = [
  'noeviction',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
] as const;

export type EvictionPolicy = (typeof evictionPolicies)[number];

/** A cache evicts by use unless told otherwise. */
export const defaultEvictionPolicy: EvictionPolicy = 'allkeys-lru';
