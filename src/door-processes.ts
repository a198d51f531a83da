/** The door processes of a service: which ports they take, and that all of them take the same. */
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { DoorProcessSettings } from './door-process.ts';
import { addFigures, type Figures } from './edge/exposed-figures.ts';
import { type ListenOptions, listenOnPort, releasePort, type WantedPort } from './edge/port.ts';
import { createProcesses, type Processes, type ProcessesDeps } from './processes/processes.ts';

const processFile = fileURLToPath(new URL('./door-process.ts', import.meta.url));

/**
 * Its garbage is small and short-lived: with Node's 16 MiB (three times) 10,000 idle connections take 85 MiB
 * more, and a command costs the same.
 */
const youngGenerationOption = '--max-semi-space-size=4';

export interface DoorPorts {
  readonly port: number;
  readonly tlsPort: number | undefined;
}

interface WantedDoor extends Pick<DoorProcessSettings, 'host' | 'entrance'> {
  readonly port: WantedPort;
  readonly tlsPort: WantedPort | undefined;
  /** Whether the ports may be others' as well. */
  readonly isShared: boolean;
}

export interface DoorProcesses extends Omit<Processes<DoorProcessSettings, Figures>, 'start'> {
  /**
   * Forks them, and gives the ports when all listen.
   * @throws an Error that names the setting to change, where a port cannot be had or a certificate not be used.
   */
  start(wanted: WantedDoor): Promise<DoorPorts>;
}

export function createDoorProcesses(deps: ProcessesDeps): DoorProcesses {
  const processes = createProcesses<DoorProcessSettings, Figures>(deps, {
    name: 'door',
    file: processFile,
    execArgv: [youngGenerationOption],
    addFigures,
  });
  return {
    ...processes,
    async start({ host, port, tlsPort, isShared, entrance }) {
      const ports = await settlePorts({ host, port, tlsPort, isShared });
      const areSeveral = isShared || deps.count > 1;
      try {
        await processes.start({ host, ...ports, isShared: areSeveral, entrance });
      } catch (error) {
        await processes.close();
        throw error;
      }
      return ports;
    },
  };
}

/** Finds the ports by taking them for a moment, all together, so that they are not the same. */
async function settlePorts(wanted: Omit<WantedDoor, 'entrance'>): Promise<DoorPorts> {
  const { host, port, tlsPort, isShared } = wanted;
  const probes: Server[] = [];
  const settle = async (options: ListenOptions): Promise<number> => {
    // Others may serve there: for that moment their clients would come here.
    if (isShared && options.port.number !== 0) return options.port.number;
    const probe = createServer((socket) => socket.destroy());
    probes.push(probe);
    return await listenOnPort(probe, options);
  };
  try {
    return {
      port: await settle({ host, port }),
      tlsPort:
        tlsPort && (await settle({ host, port: tlsPort, setting: 'SWIFTCACHE_REDIS_TLS_PORT' })),
    };
  } finally {
    await Promise.all(probes.map(releasePort));
  }
}
