/**
 * How much memory a container gets for a Redis of a given maxmemory.
 *
 * Redis counts what it allocates, the kernel counts pages: after values of other sizes than before, the
 * process can hold twice its data, and with persistence the pages that a writing parent copies while a
 * child saves come on top. The ratios are the worst that were measured, and the base covers the process
 * itself and its clients' buffers; docs/decisions/0004 has the figures. It is a limit, not a reservation.
 */
const mib = 1024 * 1024;
const baseMib = 32;
const cacheRatio = 2;
const persistentRatio = 2.75;

/** The container's memory limit in MiB; always more than `maxMemoryBytes`. */
export function containerMemoryMib(maxMemoryBytes: number, persistence: boolean): number {
  const ratio = persistence ? persistentRatio : cacheRatio;
  return Math.ceil((maxMemoryBytes / mib) * ratio) + baseMib;
}
