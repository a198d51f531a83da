/** Plans: what an instance of a tier may be, read from plans.json in the repository's root. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const planSchema = z.strictObject({
  /** Smallest and largest maxmemory in MiB. */
  maxMemoryMibMin: z.number().int().positive(),
  maxMemoryMibMax: z.number().int().positive(),
});

const plansSchema = z.strictObject({ dedicated: planSchema });

export type Plans = z.infer<typeof plansSchema>;
export type Tier = keyof Plans;

const bytesPerMib = 1024 * 1024;

/** The bounds of maxMemory in bytes. */
export interface MemoryBounds {
  readonly minBytes: number;
  readonly maxBytes: number;
}

const plans = plansSchema.parse(
  JSON.parse(readFileSync(new URL('../../plans.json', import.meta.url), 'utf8')),
);

/** The tier of every instance today. */
export const defaultTier: Tier = 'dedicated';

/** The memory bounds of a tier. */
export function memoryBounds(tier: Tier): MemoryBounds {
  return {
    minBytes: plans[tier].maxMemoryMibMin * bytesPerMib,
    maxBytes: plans[tier].maxMemoryMibMax * bytesPerMib,
  };
}

/** Bytes as MiB, rounded to the nearest: what the API calls maxMemoryMb. */
export function toMaxMemoryMb(bytes: number): number {
  return Math.round(bytes / bytesPerMib);
}
