/** Finding and ending the processes of one test's service, never anybody else's. */
import { readdirSync, readFileSync } from 'node:fs';

/** The processes that a worker of the service has under it, and the worker itself, as process ids. */
export function listWorkerGroups(dataDir: string): { worker: number; children: number[] }[] {
  const processes = listProcesses();
  const services = processes.filter(({ text }) => text.includes(dataDir)).map(({ pid }) => pid);
  return processes
    .filter(({ parent, text }) => services.includes(parent) && text.includes('worker.ts'))
    .map(({ pid }) => {
      const children = processes.filter(({ parent }) => parent === pid);
      return { worker: pid, children: children.map((child) => child.pid) };
    });
}

/** Whether a process is there. */
export function isRunning(pid: number): boolean {
  return listProcesses().some((process) => process.pid === pid);
}

/**
 * Kills (SIGKILL) every process whose environment or command line names the data directory or is a child
 * of one that does: workers, CLI runs and providers of that service.
 */
export async function killProcesses(dataDir: string): Promise<void> {
  const processes = listProcesses();
  const named = processes.filter(({ text }) => text.includes(dataDir)).map(({ pid }) => pid);
  const own = withDescendants(processes, named);
  own.delete(process.pid);
  for (const pid of own) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

/** The given processes and all that they started, directly or not. */
export function withDescendants(
  processes: readonly ListedProcess[],
  roots: readonly number[],
): Set<number> {
  const found = new Set(roots);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of processes) {
      if (found.has(parent) && !found.has(pid)) {
        found.add(pid);
        grown = true;
      }
    }
  }
  return found;
}

export interface ListedProcess {
  readonly pid: number;
  readonly parent: number;
  /** Its environment and command line. */
  readonly text: string;
}

/** Every process of this machine that may be looked at. */
export function listProcesses(): ListedProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        const text = ['environ', 'cmdline']
          .map((file) => readFileSync(`/proc/${name}/${file}`, 'latin1'))
          .join('\n');
        return [{ pid: Number(name), parent, text }];
      } catch {
        return [];
      }
    });
}
