/**
 * Docker's event stream of one host, for the containers of this installation.
 *
 * Guarantees: it is opened again, with growing waits, whenever it ends or cannot be had; an event of the
 * time in between is told late, not lost, as long as Docker remembers it. Nothing relies on it alone: it
 * only makes the watch look sooner, and tells what no look can see (the kernel killed for memory).
 */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { backoffMs } from '../../lib/retry.ts';
import { instanceLabel } from '../docker.ts';
import { installationLabel } from './look-at-docker.ts';

/** Those that change what a look sees; the health checks' own are many and say nothing. */
const actions = ['create', 'start', 'die', 'stop', 'destroy', 'pause', 'unpause', 'update', 'oom'];
/** So that the last event is not told again: a number holds its time less exactly than Docker. */
const marginSeconds = 1e-6;
const reconnect = { baseMs: 1_000, maxMs: 15_000 };

export interface ContainerEvent {
  readonly action: string;
  readonly containerId: string;
  readonly instanceId: string;
}

interface DockerEvent {
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/** Tells events until the signal aborts. Never rejects. */
export async function followEvents(
  docker: Docker,
  installationId: string,
  { signal, onEvent }: { signal: AbortSignal; onEvent: (event: ContainerEvent) => void },
): Promise<void> {
  const label = [`${installationLabel}=${installationId}`];
  const filters = { type: ['container' as const], label, event: actions };
  let lastSeconds: number | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const since = lastSeconds === undefined ? {} : { since: lastSeconds + marginSeconds };
      const stream = await docker.getEvents({ filters, ...since, abortSignal: signal });
      for await (const line of readLines(stream as Readable)) {
        failures = 0;
        const event = JSON.parse(line) as DockerEvent;
        lastSeconds = event.timeNano / 1e9;
        const { ID: containerId, Attributes } = event.Actor;
        const instanceId = Attributes[instanceLabel];
        if (instanceId) onEvent({ action: event.Action, containerId, instanceId });
      }
    } catch {
      // The looks tell, and log, that a host does not answer.
    }
    failures += 1;
    await sleep(backoffMs(failures, reconnect), undefined, { signal }).catch(() => {});
  }
}

async function* readLines(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
}
