/** Plans: what an organization may have, read from plans.json in the repository's root at start. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const planSchema = z.strictObject({
  instancesMax: z.number().int().min(0),
  /** Smallest and largest maxmemory of one instance, in MiB. */
  maxMemoryMibMin: z.number().int().positive(),
  maxMemoryMibMax: z.number().int().positive(),
  /** The sum of maxmemory over all instances, in MiB. */
  memoryMibTotalMax: z.number().int().min(0),
  /** Data keys. */
  keysMax: z.number().int().min(0),
  /** Commands over all of the organization's instances. */
  requestsPerSecond: z.number().int().positive(),
  /** Connections to the redis:// door over all of its instances, in one process; half of them for one key. */
  connectionsMax: z.number().int().positive(),
  /** Control API requests of one account key or person. */
  apiRequestsPerMinute: z.number().int().positive(),
  operationsInFlightMax: z.number().int().positive(),
  /** Backups of all instances together, those of deleted instances included. */
  backupsMax: z.number().int().min(0),
});

const plansSchema = z.record(z.string(), planSchema);

export type Plan = z.infer<typeof planSchema>;

const bytesPerMib = 1024 * 1024;

/** The bounds of maxMemory in bytes. */
export interface MemoryBounds {
  readonly minBytes: number;
  readonly maxBytes: number;
}

const plans = plansSchema.parse(
  JSON.parse(readFileSync(new URL('../../plans.json', import.meta.url), 'utf8')),
);

/** The plan of an organization that somebody makes for themselves. */
export const defaultPlan = 'free';

/** The names of all plans. */
export const planNames: readonly string[] = Object.keys(plans);

/** A plan by its name. @throws where the operator removed one that an organization still has. */
export function planOf(name: string): Plan {
  const plan = plans[name];
  if (!plan) throw new Error(`plans.json has no plan "${name}"`);
  return plan;
}

/** The memory bounds of one instance over all plans: what no plan allows is no valid request. */
export function widestMemoryBounds(): MemoryBounds {
  const all = Object.values(plans);
  return {
    minBytes: Math.min(...all.map((plan) => plan.maxMemoryMibMin)) * bytesPerMib,
    maxBytes: Math.max(...all.map((plan) => plan.maxMemoryMibMax)) * bytesPerMib,
  };
}

/** The memory bounds of one instance in a plan. */
export function memoryBounds({ maxMemoryMibMin, maxMemoryMibMax }: Plan): MemoryBounds {
  return { minBytes: maxMemoryMibMin * bytesPerMib, maxBytes: maxMemoryMibMax * bytesPerMib };
}

/** Bytes as MiB, rounded to the nearest: what the API calls maxMemoryMb. */
export function toMaxMemoryMb(bytes: number): number {
  return Math.round(bytes / bytesPerMib);
}
