/** All faults, in the order in which they are run. */
import type { Fault } from '../bench.ts';
import { clockMoved } from './clock.ts';
import { cycles } from './cycles.ts';
import {
  containerPaused,
  containerRemoved,
  containerStopped,
  outOfMemory,
  portTaken,
  redisKilled,
  volumeRemoved,
} from './docker-objects.ts';
import { dockerdFrozen, dockerdKilled, dockerdRestarted } from './dockerd.ts';
import { writesAlways, writesEverysec } from './durability.ts';
import { matrix } from './matrix.ts';
import { brokenLinks } from './network.ts';
import { allKilledUnderLoad, killUnderLoad, stopUnderLoad } from './processes.ts';
import { twoServers } from './servers.ts';
import { staleLock, tornCheckpoint } from './state-files.ts';
import { connectionsCut, databaseLocked, diskFull, postgresRestarted } from './storage.ts';

/** The costly ones take turns in the short form: three of the five rest each day. */
const takingTurns: readonly Fault[] = [
  databaseLocked,
  diskFull,
  postgresRestarted,
  dockerdRestarted,
  twoServers,
];

export function restingOn(day: number): Fault[] {
  return [day, day + 1, day + 3].flatMap((each) => takingTurns[each % takingTurns.length] ?? []);
}

export const faults: readonly Fault[] = [
  matrix,
  containerRemoved,
  containerStopped,
  containerPaused,
  redisKilled,
  outOfMemory,
  volumeRemoved,
  portTaken,
  staleLock,
  tornCheckpoint,
  stopUnderLoad,
  killUnderLoad,
  allKilledUnderLoad,
  databaseLocked,
  diskFull,
  postgresRestarted,
  connectionsCut,
  dockerdRestarted,
  dockerdKilled,
  dockerdFrozen,
  clockMoved,
  brokenLinks,
  twoServers,
  writesEverysec,
  writesAlways,
  cycles,
];
