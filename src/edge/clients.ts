/**
 * All clients of the door: takes them in, ends those whose key, instance or time is over, and holds what they
 * share.
 *
 * Guarantees: connections are bounded in all, per key and plan, and (not signed in yet) per address; questions
 * about keys are asked few at a time and shared, so that ten thousand clients that come back at once are a few;
 * a changed rate or expiry holds within a second, and an expired key's connections end within one.
 */
import type { Socket } from 'node:net';
import type { KeyPorts } from '../keys/ports.ts';
import { createPrincipalCache } from '../keys/principal-cache.ts';
import { createLimits } from '../keys/rates/limits.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { startRepeating } from '../lib/repeat.ts';
import { createTurns } from '../lib/turns.ts';
import { Connection } from './connection.ts';
import type { ConnectionDeps, ConnectionLimits } from './connection-deps.ts';
import type { Origin } from './entrance.ts';
import { createFailedSignIns, type FailedSignInLimits } from './failed-sign-ins.ts';
import { createDoorFigures, type DoorFigures } from './figures.ts';
import { createKeyUses } from './key-uses.ts';
import { endWithWord } from './last-word.ts';
import { renderError, tooManyConnections } from './refusals.ts';
import type { Route } from './route.ts';
import type { UnknownClients, UnknownClientsLimits } from './unknown-clients.ts';

export interface ClientLimits extends ConnectionLimits, FailedSignInLimits, UnknownClientsLimits {
  /** How often to ask about open ways, where others may close them. */
  readonly recheckMs: number;
}

export interface ClientsDeps {
  /** What is known of keys, and their rates. */
  readonly ports: KeyPorts;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly limits: ClientLimits;
  readonly unknown: UnknownClients;
  /** The service's own domain, under which instances have names. */
  readonly domain?: string | undefined;
}

export interface Clients {
  readonly size: number;
  readonly figures: DoorFigures;
  countSignedIn(): number;
  /** Takes a client in, or turns it away. */
  accept(client: Socket, from: Origin): void;
  /** Turns one away because there are too many. */
  turnAway(client: Socket): void;
  dropInstance(instanceId: string): void;
  dropKey(keyId: string, instanceId?: string): void;
  /** Takes no more commands of anybody. */
  finish(): void;
  /** Ends all at once; resolves when nothing here works any more. */
  close(): Promise<void>;
}

const checkMs = 250;
const renewMs = 1_000;
/** Questions about keys that are asked at once. */
const lookUpsMax = 16;

export function createClients(deps: ClientsDeps): Clients {
  const { ports, logger, clock, limits, unknown } = deps;
  const connections = new Set<Connection>();
  const takeTurns = createTurns({
    runningMax: lookUpsMax,
    waitingMax: limits.connectionsMax,
    refuse: () => new Error('too many questions about keys wait'),
  });
  const findPrincipal = (hash: string) => takeTurns(() => ports.findPrincipal(hash));
  const keyUses = createKeyUses();
  const figures = createDoorFigures();
  const shared: Omit<ConnectionDeps, 'onSettled'> = {
    principals: createPrincipalCache({ findPrincipal, clock }),
    domain: deps.domain,
    logger,
    keyUsage: ports.keyUsage,
    keyUses,
    rates: createLimits(ports.rates),
    failures: createFailedSignIns(limits),
    figures,
    limits,
  };

  function turnAway(client: Socket): void {
    figures.refusals.too_many_connections += 1;
    endWithWord(client, renderError(tooManyConnections));
  }

  function dropWhere(matches: (route: Route) => boolean): void {
    for (const connection of connections) {
      if (connection.route && matches(connection.route)) connection.destroy();
    }
  }

  async function recheck(findLostWays: NonNullable<KeyPorts['findLostWays']>): Promise<void> {
    const routes = [...connections].flatMap(({ route }) => route ?? []);
    if (routes.length === 0) return;
    const lost = await findLostWays(routes);
    dropWhere((route) => lost.has(route));
  }

  async function renewTerms(): Promise<void> {
    const keyIds = keyUses.list();
    if (keyIds.length > 0) keyUses.renew(await ports.readTerms(keyIds));
  }

  const onError = (error: unknown): void => logger.warn({ err: error }, 'keys cannot be checked');
  const duties = [startRepeating(renewTerms, { intervalMs: renewMs, onError })];
  const { findLostWays } = ports;
  if (findLostWays) {
    const options = { intervalMs: limits.recheckMs, onError };
    duties.push(startRepeating(() => recheck(findLostWays), options));
  }
  const checking = setInterval(() => {
    const nowMs = performance.now();
    const now = clock.now();
    for (const connection of connections) connection.check(nowMs, now);
  }, checkMs);
  checking.unref();

  return {
    get size() {
      return connections.size;
    },
    figures,
    turnAway,
    countSignedIn: () => [...connections].filter(({ isSignedIn }) => isSignedIn).length,
    accept(client, from) {
      const isFull = connections.size >= limits.connectionsMax;
      const onSettled = isFull ? undefined : unknown.enter(from.address);
      if (!onSettled) {
        turnAway(client);
        return;
      }
      const connection = new Connection(client, { ...shared, onSettled }, from);
      connections.add(connection);
      client.once('close', () => connections.delete(connection));
    },
    dropInstance(id) {
      shared.principals.dropInstance(id);
      dropWhere(({ instance }) => instance.id === id);
    },
    dropKey(id, instanceId) {
      shared.principals.dropKey(id);
      dropWhere(({ key, instance }) => {
        return key.id === id && (instanceId === undefined || instance.id === instanceId);
      });
    },
    finish() {
      for (const connection of connections) connection.finish();
    },
    async close() {
      clearInterval(checking);
      for (const connection of connections) connection.destroy();
      await Promise.all(duties.map((duty) => duty.stop()));
      await shared.keyUsage.settle();
    },
  };
}
