/**
 * Docker's event stream of one host, for the containers of this installation.
 *
 * Guarantees: it is opened again whenever it ends (the client ends a quiet one), with growing waits where it
 * cannot be had; an event of the time in between, or since the first opening, is told late, not lost, as long as Docker remembers it. Nothing relies on it alone: it
 * only makes the watch look sooner, and tells what no look can see (the kernel killed for memory).
 */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { backoffMs } from '../../lib/retry.ts';
import { installationLabel, instanceLabel } from '../docker.ts';

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
  let sinceSeconds: number | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      sinceSeconds ??= await readClock(docker, signal);
      const stream = await docker.getEvents({ filters, since: sinceSeconds, abortSignal: signal });
      failures = 0;
      for await (const line of readLines(stream as Readable)) {
        const event = JSON.parse(line) as DockerEvent;
        sinceSeconds = event.timeNano / 1e9 + marginSeconds;
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

/** What time it is for Docker, whose events are asked for by it. */
async function readClock(docker: Docker, abortSignal: AbortSignal): Promise<number> {
  // The types do not know of the options that every call has.
  const info = docker.info as (options: object) => Promise<{ SystemTime: string }>;
  const { SystemTime } = await info.call(docker, { abortSignal });
  return Date.parse(SystemTime) / 1_000;
}

async function* readLines(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
}
