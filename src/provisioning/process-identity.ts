/** How a process names itself in the leases table, and how another one sees that it is gone. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** `host:pid:start`, where `start` tells a process from a later one with the same id. */
export function processIdentity(): string {
  return `${hostname()}:${process.pid}:${startTime(process.pid)}`;
}

/** Whether the named process ran on this host and is gone. Of other hosts nothing is known: false. */
export function isGoneFromHere(identity: string): boolean {
  const [host, pid, start] = identity.split(':');
  if (host !== hostname() || !pid) return false;
  return startTime(Number(pid)) !== start;
}

/** The process's start in clock ticks (proc(5), stat, field 22); '' when there is no such process. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the name, may hold blanks; what follows its closing bracket does not.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
