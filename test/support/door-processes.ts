/** The door processes of a test's service, and which of its clients is on which. */
import type { Redis } from 'ioredis';
import { pollUntil } from '../../src/lib/retry.ts';
import { listProcesses } from './processes.ts';
import type { TestService } from './service.ts';

const patience = { timeoutMs: 30_000, intervalMs: 20 };

/** The ids of the door processes that a service has at the moment. */
export function listDoorProcesses({ pid }: Pick<TestService, 'pid'>): number[] {
  return listProcesses()
    .filter(({ parent, text }) => parent === pid && text.includes('door-process.ts'))
    .map((process) => process.pid);
}

/** The process that serves a client, by the log of a service that says everything (`debug`). */
export async function findProcessOf(service: TestService, client: Redis): Promise<number> {
  const { localPort } = (client as unknown as { stream: { localPort: number } }).stream;
  const opened = new RegExp(`"pid":(\\d+),[^\\n]*"client":"[^"]*:${localPort}"[^\\n]*opened`);
  const find = async () => opened.exec(service.output())?.[1];
  return Number(await pollUntil(find, patience));
}
