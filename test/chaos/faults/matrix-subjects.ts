/** The instances that the step matrix breaks things on: what each operation needs, asks and must end in. */

import { requestInstance, type TestInstance } from '../../support/service.ts';
import { type PlannedFault, planFaults } from '../plans.ts';
import type { World } from '../world.ts';
import type { OperationKind } from './matrix-cases.ts';

const mib = 1024 * 1024;

export interface Subject extends Partial<TestInstance> {
  id: string;
}

export interface Change {
  readonly kind: OperationKind;
  readonly method: string;
  readonly path: (id: string) => string;
  readonly body: Record<string, unknown> | undefined;
}

const startMib: Partial<Record<OperationKind, number>> = { shrink: 64 };
const target: Partial<Record<OperationKind, number>> = { grow: 48, shrink: 24 };

/** An instance in the state in which the operation makes sense; none yet for a create. */
export async function openSubject(world: World, operation: OperationKind): Promise<Subject> {
  if (operation === 'create') return { id: '' };
  const maxMemory = (startMib[operation] ?? 32) * mib;
  const instance = await requestInstance(world.service, { maxMemory });
  world.dataKeys.add(instance.key);
  planFaults(world.service.dataDir, instance.id, []);
  const operationOf = await world.awaitEnd(instance.operationId);
  if (operationOf.status !== 'SUCCEEDED') throw new Error('what the case needs was not created');
  if (operation === 'start') {
    await world.awaitEnd(await world.change('POST', `/api/v1/instances/${instance.id}/stop`));
  }
  return instance;
}

export function nextChange(_subject: Subject, kind: OperationKind): Change {
  const path = (id: string): string => `/api/v1/instances/${id}`;
  const size = target[kind];
  if (kind === 'create') return { kind, method: 'POST', path: () => path(''), body: undefined };
  if (kind === 'delete') return { kind, method: 'DELETE', path, body: undefined };
  if (size !== undefined) return { kind, method: 'PATCH', path, body: { maxMemory: size * mib } };
  return { kind, method: 'POST', path: (id) => `${path(id)}/${kind}`, body: undefined };
}

/** Plans the faults and asks for the change; gives its operation. */
export async function wish(
  world: World,
  subject: Subject,
  change: Change,
  faults: readonly PlannedFault[],
): Promise<string> {
  const { service } = world;
  if (change.kind === 'create') {
    const instance = await requestInstance(service);
    world.dataKeys.add(instance.key);
    // The service waits at the first step of an instance for its plan.
    planFaults(service.dataDir, instance.id, faults);
    Object.assign(subject, instance);
    return instance.operationId;
  }
  planFaults(service.dataDir, subject.id, faults);
  return await world.change(change.method, change.path(subject.id), change.body);
}

/** What was wanted is so, as a user of the instance sees it. */
export async function checkOutcome(world: World, subject: Subject, change: Change): Promise<void> {
  const { id } = subject;
  if (change.kind === 'delete') {
    await world.service.api.call('GET', `/api/v1/instances/${id}`, undefined, 404);
    return;
  }
  const status = change.kind === 'stop' ? 'STOPPED' : 'RUNNING';
  await world.awaitInstance(id, (instance) => instance.status === status);
  if (status === 'RUNNING') {
    await world.command(subject as TestInstance, 'SET', 'chaos', 'endured');
    const memory = String(await world.command(subject as TestInstance, 'INFO', 'memory'));
    const size = target[change.kind];
    if (size !== undefined && !memory.includes(`maxmemory:${size * mib}\r`)) {
      throw new Error(`maxmemory is not ${size} MiB`);
    }
  }
  await remove(world, id);
}

/** So that two hundred cases do not keep two hundred instances. */
async function remove(world: World, id: string): Promise<void> {
  planFaults(world.service.dataDir, id, []);
  if (keptForPreview.size < 3 && !keptForPreview.has(id)) {
    keptForPreview.add(id);
    return;
  }
  await world.remove(id);
}

/** Some stay until the end of the group, where an operator's Pulumi looks at them. */
const keptForPreview = new Set<string>();
