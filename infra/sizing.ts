/**
 * How much memory a container gets for a Redis of a given maxmemory.
 *
 * Redis needs more than its data: the process itself and its replication of small allocations (about
 * 12 MiB measured at rest), fragmentation, client buffers, and with persistence the pages that a
 * writing parent copies while a child saves. docs/decisions/0004 has the measurements.
 */
const mib = 1024 * 1024;
const baseMib = 48;
const overheadRatio = 0.25;
const persistenceRatio = 0.5;

/** The container's memory limit in MiB; always more than `maxMemoryBytes`. */
export function containerMemoryMib(maxMemoryBytes: number, persistence: boolean): number {
  const ratio = 1 + overheadRatio + (persistence ? persistenceRatio : 0);
  return Math.ceil((maxMemoryBytes / mib) * ratio) + baseMib;
}
