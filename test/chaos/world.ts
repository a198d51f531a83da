/**
 * A world for faults: a whole service of its own with what it made, used for many cases one after another.
 *
 * It remembers what it was given in secret and which processes it saw, so that the audit can look for both
 * afterwards. Its questions to the API outlive a service that is just being killed and started again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { loadConfig } from '../../src/config.ts';
import { connectDocker } from '../../src/provisioning/docker.ts';
import { type Orm, openDatabase } from '../../src/store/database.ts';
import { type Instance, InstanceEntity } from '../../src/store/entities/instance.ts';
import { listProcesses, withDescendants } from '../support/processes.ts';
import {
  requestInstance,
  type ServiceOwner,
  startTestService,
  type TestInstance,
  type TestService,
} from '../support/service.ts';

/** Within this time every operation ends, whatever was broken. */
export const terminalWithinMs = 60_000;

// biome-ignore lint/suspicious/noExplicitAny: answers of the API, as they come.
type Answer = any;

export interface World {
  readonly service: TestService;
  /** The Docker that its instances are in. */
  readonly docker: Docker;
  /** The data keys that were handed out. */
  readonly dataKeys: Set<string>;
  /** Processes that the service had under it at some time: process ids. */
  readonly seenProcesses: Set<number>;
  request(body?: Record<string, unknown>): Promise<TestInstance>;
  /** Asks for an instance and waits until it runs. */
  create(body?: Record<string, unknown>): Promise<TestInstance>;
  /** Asks for a change and gives the operation's id. */
  change(method: string, path: string, body?: unknown): Promise<string>;
  /** Asks for a delete and waits until nothing is left. */
  remove(instanceId: string): Promise<void>;
  /** Waits until an operation has ended, and gives it. @throws after `withinMs`. */
  awaitEnd(operationId: string, withinMs?: number): Promise<Answer>;
  /** Asks until there is an answer that `accept` takes. */
  awaitInstance(id: string, accept: (instance: Answer) => boolean): Promise<Answer>;
  /** Runs one command through the gateway. @throws when it is refused. */
  command(instance: TestInstance, ...words: string[]): Promise<unknown>;
  /** Notes the processes under the service as they are now; before a kill. */
  noteProcesses(): number[];
  withRows<T>(work: (rows: Instance[], orm: Orm) => Promise<T>): Promise<T>;
}

export interface WorldOptions {
  readonly settings?: Record<string, string>;
  /** The program that runs as the service. */
  readonly entry?: string;
}

export async function openWorld(owner: ServiceOwner, options: WorldOptions = {}): Promise<World> {
  const service = await startTestService(owner, options.settings, options.entry);
  return describeWorld(service);
}

/** The world of a service that runs already. */
export function describeWorld(service: TestService): World {
  const config = loadConfig(service.environment);
  const dataKeys = new Set<string>();
  const seenProcesses = new Set<number>();
  const ask = async (path: string): Promise<Answer> => await service.api.call('GET', path);

  const world: World = {
    service,
    docker: connectDocker(config.dockerHost),
    dataKeys,
    seenProcesses,
    async request(body) {
      const instance = await requestInstance(service, body);
      dataKeys.add(instance.key);
      return instance;
    },
    async create(body) {
      const instance = await world.request(body);
      const operation = await world.awaitEnd(instance.operationId);
      if (operation.status !== 'SUCCEEDED') throw new Error(`create: ${describe(operation)}`);
      return instance;
    },
    async change(method, path, body) {
      const { operation } = await service.api.call(method, path, body);
      return operation.id;
    },
    async remove(instanceId) {
      const id = await world.change('DELETE', `/api/v1/instances/${instanceId}`);
      const operation = await world.awaitEnd(id);
      if (operation.status !== 'SUCCEEDED') throw new Error(`delete: ${describe(operation)}`);
    },
    async awaitEnd(operationId, withinMs = terminalWithinMs) {
      const isEnded = ({ operation }: Answer) => (operation.finishedAt ? operation : undefined);
      const path = `/api/v1/operations/${operationId}`;
      return await askUntil(() => ask(path), isEnded, `the end of ${operationId}`, withinMs);
    },
    async awaitInstance(id, accept) {
      const take = ({ instance }: Answer) => (accept(instance) ? instance : undefined);
      const path = `/api/v1/instances/${id}`;
      return await askUntil(() => ask(path), take, `what was expected of ${id}`, terminalWithinMs);
    },
    async command({ id, key }, ...words) {
      const answer = await service.api.withToken(key).call('POST', `/redis/${id}`, words);
      return answer.result;
    },
    noteProcesses() {
      const { pid } = service;
      if (pid === undefined) return [];
      const under = [...withDescendants(listProcesses(), [pid])].filter((each) => each !== pid);
      for (const each of under) seenProcesses.add(each);
      return under;
    },
    async withRows(work) {
      const orm = await openDatabase(config);
      try {
        return await work(await orm.em.fork().find(InstanceEntity, {}), orm);
      } finally {
        await orm.close();
      }
    },
  };
  return world;
}

function describe({ status, error, steps }: Answer): string {
  const names = (steps as { name: string }[]).map(({ name }) => name).join(' ');
  return `${status} ${error?.code ?? ''} after ${names}`;
}

async function askUntil<T>(
  ask: () => Promise<Answer>,
  take: (answer: Answer) => T | undefined,
  what: string,
  withinMs: number,
): Promise<T> {
  const deadlineMs = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < deadlineMs) {
    try {
      const answer = await ask();
      last = answer;
      const taken = take(answer);
      if (taken !== undefined) return taken;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    await sleep(50);
  }
  throw new Error(
    `not within ${withinMs} ms: ${what}; last: ${JSON.stringify(last).slice(0, 600)}`,
  );
}
