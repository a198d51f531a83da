import type { DriftKind } from '../../instances/drift.ts';
import { instanceHostname } from '../../instances/host-names.ts';
import { toMaxMemoryMb } from '../../instances/plans.ts';
import type { ShownInstance } from '../../instances/read-instances.ts';
import { servesData } from '../../instances/states.ts';
import { isUpgradeAvailable, shortImage } from '../../instances/upgrade-instance.ts';
import type { HttpServices } from '../route.ts';
import type { instanceSchema } from '../schemas/instances.ts';
import { presentBackupRule } from './backups.ts';
import { presentFailure, type Shown } from './failure.ts';

export function presentInstance(
  { door, config }: Pick<HttpServices, 'door' | 'config'>,
  instance: ShownInstance,
): Shown<typeof instanceSchema> {
  const { host, port, tlsPort = null, domain } = door();
  const hostname = domain ? instanceHostname(instance.id, domain) : host;
  const isReachable = servesData(instance.status);
  return {
    id: instance.id,
    organizationId: instance.organizationId,
    name: instance.name,
    status: instance.status as Shown<typeof instanceSchema>['status'],
    hostname: isReachable ? hostname : null,
    host,
    port,
    tlsPort,
    connectionString: isReachable ? writeConnectionString(hostname, { port, tlsPort }) : null,
    maxMemory: instance.maxMemoryBytes,
    maxMemoryMb: toMaxMemoryMb(instance.maxMemoryBytes),
    region: instance.region,
    tier: instance.tier,
    evictionPolicy: instance.evictionPolicy as Shown<typeof instanceSchema>['evictionPolicy'],
    persistence: instance.persistence,
    image: shortImage(instance.image),
    upgradeAvailable: isUpgradeAvailable(instance, config.redisImage),
    labels: instance.labels,
    deletionProtection: instance.deletionProtection,
    driftPolicy: instance.driftPolicy,
    drift: instance.drift.map((note) => ({ ...note, kind: note.kind as DriftKind })),
    expiresAt: instance.expiresAt?.toISOString() ?? null,
    backups: presentBackupRule(instance),
    failure: presentFailure(instance.failureCode, instance.failureMessage),
    createdAt: instance.createdAt.toISOString(),
    updatedAt: instance.updatedAt.toISOString(),
  };
}

/** With TLS where there is TLS. The key is not known here, and its place is marked as in the documents. */
function writeConnectionString(
  hostname: string,
  { port, tlsPort }: { port: number; tlsPort: number | null },
): string {
  // An IPv6 address stands in brackets, or its colons would be the port's.
  const host = hostname.includes(':') ? `[${hostname}]` : hostname;
  const [scheme, number] = tlsPort === null ? ['redis', port] : ['rediss', tlsPort];
  return `${scheme}://:[API_KEY]@${host}:${number}`;
}
