/**
 * The limits of containers, kept: lists do not tell them, so each container is asked once, again after every
 * event about it and every run, and all of them in slow rotation, should an event have been missed. One that
 * cannot be asked hides no other, and has its turn again in that rotation.
 */
import type Docker from 'dockerode';
import type { Logger } from '../../lib/logger.ts';
import { type JudgedRow, versionOf } from './judged-rows.ts';
import { type ContainerLimits, type DockerSight, readLimits } from './look-at-docker.ts';

/** How many containers are asked in one look at most, and how old an answer may be. */
const inspectionsMax = 20;
const oldMs = 60_000;

export interface Limits {
  /** Asks those that are not known or known for too long. Never rejects. */
  refresh(rows: readonly JudgedRow[], seen: DockerSight): Promise<void>;
  /** What is known of a container since the row is as it is. */
  of(containerId: string, row: JudgedRow): ContainerLimits | undefined;
  /** Something happened to it. */
  forget(containerId: string): void;
}

interface KnownLimits {
  readonly atMs: number;
  readonly version: string;
  readonly limits: ContainerLimits | undefined;
}

export function createLimits(docker: Docker, logger: Logger): Limits {
  const known = new Map<string, KnownLimits>();
  const ageOf = (containerId: string, version: string): number => {
    const entry = known.get(containerId);
    return entry?.version === version ? performance.now() - entry.atMs : Number.POSITIVE_INFINITY;
  };
  return {
    async refresh(rows, { containers }) {
      const due = rows.flatMap((row) => {
        const containerId = containers.get(row.id)?.id;
        if (containerId === undefined) return [];
        const version = versionOf(row);
        const ageMs = ageOf(containerId, version);
        return ageMs >= oldMs ? [{ containerId, version, ageMs }] : [];
      });
      due.sort((one, other) => (one.ageMs === other.ageMs ? 0 : other.ageMs - one.ageMs));
      const asked = due.slice(0, inspectionsMax).map(async ({ containerId, version }) => {
        const limits = await readLimits(docker, containerId).catch((error: unknown) => {
          logger.warn({ err: error, containerId }, 'a container could not be inspected');
          return undefined;
        });
        known.set(containerId, { atMs: performance.now(), version, limits });
      });
      await Promise.all(asked);
      const present = new Set([...containers.values()].map(({ id }) => id));
      for (const id of known.keys()) if (!present.has(id)) known.delete(id);
    },
    of(containerId, row) {
      const entry = known.get(containerId);
      return entry?.version === versionOf(row) ? entry.limits : undefined;
    },
    forget: (containerId) => void known.delete(containerId),
  };
}
