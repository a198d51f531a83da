/**
 * What the rules measure by, read from files an operator edits: plans.json (memory bounds) and
 * allowed-images.json. The image that set-up pinned on this machine is allowed beside them.
 */
import { readFileSync } from 'node:fs';
import { containerMemoryMib } from '../infra/sizing.ts';
import type { PolicyContext } from './rule.ts';

const mib = 1024 * 1024;

interface Plan {
  readonly maxMemoryMibMin: number;
  readonly maxMemoryMibMax: number;
}

/** Reads the context afresh. @throws where plans.json or allowed-images.json cannot be read. */
export function loadPolicyContext(): PolicyContext {
  const plans = Object.values(readJson<Record<string, Plan>>('../plans.json'));
  const allowed = readJson<{ images: string[]; repositories: string[] }>('./allowed-images.json');
  const smallest = Math.min(...plans.map((plan) => plan.maxMemoryMibMin));
  const largest = Math.max(...plans.map((plan) => plan.maxMemoryMibMax));
  return {
    allowedImages: [...allowed.images, ...setUpImages()],
    allowedRepositories: allowed.repositories,
    memoryMibMin: containerMemoryMib(smallest * mib, false),
    memoryMibMax: containerMemoryMib(largest * mib, true),
  };
}

function setUpImages(): string[] {
  try {
    return [
      readJson<{ redisImage: { reference: string } }>('../.setup/facts.json').redisImage.reference,
    ];
  } catch {
    // No set-up ran here (another machine than the service's): the lists in the files stand alone.
    return [];
  }
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as T;
}
