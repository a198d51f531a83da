/** An instance's row as the configuration of its stack, and the stack's outputs as parts of the row. */
import type { Region } from '../instances/regions.ts';
import type { Sealer } from '../lib/crypto.ts';
import type { Instance } from '../store/entities/instance.ts';
import { passwordPlace } from './instance-redis.ts';
import type { StackOutputs, StackValues } from './messages.ts';
import type { ObservedOutputs } from './transitions.ts';

/** The stack's configuration for an instance as its row wants it. */
export function stackValues(
  { installationId }: { readonly installationId: string },
  instance: Instance,
  region: Region,
  network: string,
): StackValues {
  return {
    'docker:host': region.dockerHost,
    'swiftcache:kind': 'instance',
    'swiftcache:instanceId': instance.id,
    'swiftcache:installationId': installationId,
    'swiftcache:region': instance.region,
    'swiftcache:image': instance.image,
    'swiftcache:network': network,
    'swiftcache:port': instance.nodePort ?? 0,
    'swiftcache:maxMemoryBytes': instance.maxMemoryBytes,
    'swiftcache:evictionPolicy': instance.evictionPolicy,
    'swiftcache:persistence': instance.persistence,
    'swiftcache:running': instance.power === 'on',
  };
}

/** The stack's outputs as they are recorded, the password sealed. @throws where one is missing. */
export function readOutputs(
  sealer: Sealer,
  { id }: Instance,
  { host, port, password }: StackOutputs,
): ObservedOutputs {
  if (typeof host !== 'string' || typeof port !== 'number' || typeof password !== 'string') {
    throw new Error(`the stack ${id} ended without its outputs`);
  }
  const passwordSealed = sealer.seal(password, passwordPlace(id));
  return { nodeHost: host, nodePort: port, passwordSealed };
}
