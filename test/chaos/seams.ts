/** Files of the data directory by which a test moves the faulty service's clock and connections. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const clockFile = 'chaos-clock.json';
export const detourFile = 'chaos-detours.json';

/** From now on the service's clock is wrong by so much. */
export function moveClock(dataDir: string, byMs: number): void {
  writeWhole(join(dataDir, clockFile), byMs);
}

/** From now on connections of the service to these ports go to those. */
export function divertPorts(dataDir: string, detours: Record<number, number>): void {
  writeWhole(join(dataDir, detourFile), detours);
}

function writeWhole(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, JSON.stringify(value));
  renameSync(`${file}.new`, file);
}
