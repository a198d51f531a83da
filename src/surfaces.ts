/**
 * The surfaces of this process for instances' users: the gateway, the door, and the processes that serve them
 * beside it.
 */
import { type Config, hasRole } from './config.ts';
import { createDoorProcesses } from './door-processes.ts';
import { createEdge } from './edge/edge.ts';
import { addFigures, type Figures, listDoorMetrics } from './edge/exposed-figures.ts';
import { listMetrics } from './gateway/exposed-figures.ts';
import { createGateway, type Gateway, type GatewaySettings } from './gateway/gateway.ts';
import { createGatewayProcesses, type GatewayProcesses } from './gateway-processes.ts';
import type { ShownDoor } from './http/route.ts';
import { createDatabasePorts } from './keys/database-ports.ts';
import type { KeyPorts } from './keys/ports.ts';
import type { Logger } from './lib/logger.ts';
import { writeExposition } from './metrics/exposition.ts';
import type { Orm } from './store/database.ts';

export interface Surfaces {
  readonly gateway: Gateway | undefined;
  /** Those that serve the gateway beside this one. */
  readonly processes: GatewayProcesses | undefined;
  /** The door that is open, in this process or in those of its own. */
  readonly openDoor: OpenDoor | undefined;
  /** Where the door is, of this service or another. */
  readonly door: ShownDoor;
  /** Drops what they hold of a key or an instance. */
  dropKey(keyId: string, instanceId?: string): void;
  dropInstance(instanceId: string): void;
  /** Gives their figures in Prometheus's format; undefined where there is no surface. */
  readonly readMetrics: (() => Promise<string>) | undefined;
}

/** What a door in this process and door processes have in common, once they are open. */
interface OpenDoor {
  dropKey(keyId: string, instanceId?: string): void;
  dropInstance(instanceId: string): void;
  readFigures(): readonly Figures[];
  close(): Promise<void>;
}

interface SurfacesDeps {
  readonly orm: Orm;
  readonly config: Config;
  readonly logger: Logger;
}

/**
 * Makes those that the process's roles need; the door opens.
 * @throws when the door's port is taken, or its certificate cannot be used.
 */
export async function makeSurfaces({ orm, config, logger }: SurfacesDeps): Promise<Surfaces> {
  const isShared = config.databaseUrl !== undefined;
  const ports = createDatabasePorts({ orm, logger }, isShared);
  const hasGateway = hasRole(config, 'gateway');
  const gateway = hasGateway
    ? createGateway({ ports, logger, settings: pickGatewaySettings(config) })
    : undefined;
  const count = config.gateway.processes - 1;
  const processes =
    hasGateway && count > 0
      ? createGatewayProcesses(processesDeps(config, { count, ports, logger }))
      : undefined;
  const opened = hasRole(config, 'edge') ? await openDoor(config, ports, logger) : undefined;
  const { publicHost: host, door, redisPort } = config;
  const surfaces = [gateway, processes, opened?.door];
  return {
    gateway,
    processes,
    openDoor: opened?.door,
    door: {
      host,
      port: opened?.port ?? redisPort.number,
      tlsPort: opened?.tlsPort ?? door.tlsPort?.number,
      takesPlain: door.takesPlain,
      domain: door.domain,
    },
    dropKey(keyId, instanceId) {
      for (const surface of surfaces) surface?.dropKey(keyId, instanceId);
    },
    dropInstance(instanceId) {
      for (const surface of surfaces) surface?.dropInstance(instanceId);
    },
    readMetrics: makeMetricsReader(gateway, processes, opened?.door),
  };
}

/** What the gateway is told, in each of its processes. */
export function pickGatewaySettings({ gateway, proxyHops }: Config): GatewaySettings {
  const { bodyBytesMax, compression, corsOrigins, pipelineCommandsMax } = gateway;
  return { bodyBytesMax, compression, corsOrigins, pipelineCommandsMax, proxyHops };
}

interface Opened {
  readonly door: OpenDoor;
  readonly port: number;
  readonly tlsPort: number | undefined;
}

/** Opens the door's ports, here or in processes of its own. */
async function openDoor(config: Config, ports: KeyPorts, logger: Logger): Promise<Opened> {
  const { host, redisPort: port } = config;
  const { processes: count, sharePort: isShared, tlsPort, ...entrance } = config.door;
  if (count > 0) {
    const door = createDoorProcesses(processesDeps(config, { count, ports, logger }));
    return { door, ...(await door.start({ host, port, tlsPort, isShared, entrance })) };
  }
  const edge = createEdge({ ports, logger, entrance });
  const door = { ...edge, readFigures: () => [edge.readFigures()] };
  const taken = await edge.listen({ host, port, isShared });
  const secure = tlsPort && (await edge.listenTls({ host, port: tlsPort, isShared }));
  return { door, port: taken, tlsPort: secure };
}

function processesDeps<Own>({ path, logLevel }: Config, own: Own) {
  return { ...own, path, logLevel };
}

function makeMetricsReader(
  gateway: Gateway | undefined,
  processes: GatewayProcesses | undefined,
  door: OpenDoor | undefined,
): Surfaces['readMetrics'] {
  if (!gateway && !door) return undefined;
  return async () => {
    const figures = gateway ? [gateway.readFigures(), ...(processes?.readFigures() ?? [])] : [];
    const ofGateway = gateway ? listMetrics(figures) : [];
    const ofDoor = door ? listDoorMetrics(addFigures(door.readFigures())) : [];
    return writeExposition([...ofGateway, ...ofDoor]);
  };
}
