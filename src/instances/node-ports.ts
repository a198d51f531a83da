/**
 * Ports on the Docker host: given by the database, one an instance, unique in its region.
 *
 * Redis containers publish on loopback only; clients never see these ports. The unique index decides
 * races: whoever loses takes the next port.
 */
import { createServer } from 'node:net';
import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { Config } from '../config.ts';
import { AppError } from '../lib/errors.ts';
import type { EntityManager, Orm } from '../store/database.ts';

/** Two may pick the same port at once; the index lets one through and the other picks again. */
const portTries = 5;
const portsAtOnce = 32;

/**
 * Runs what writes a port that is free, once more with another where somebody else had it first.
 * @param write is to leave nothing behind where it fails: one transaction.
 * @throws {AppError} `no_free_port`, and what `write` throws.
 */
export async function withFreePort<Result>(
  orm: Orm,
  region: string,
  range: Config['instancePorts'],
  write: (port: number) => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    const port = await pickNodePort(orm.em.fork() as EntityManager, region, range);
    try {
      return await write(port);
    } catch (error) {
      const isTaken = error instanceof UniqueConstraintViolationException;
      if (!isTaken || tries === portTries) throw error;
    }
  }
}

/**
 * Picks a port of the range that no live instance of the region has and that can be bound now.
 * Starts at a random place, so that a port just given up is not the next one taken.
 * @throws {AppError} `no_free_port`.
 */
export async function pickNodePort(
  em: EntityManager,
  region: string,
  { first, last }: Config['instancePorts'],
): Promise<number> {
  const count = last - first + 1;
  const start = Math.floor(Math.random() * count);
  // A few at a time: reading all the ports of a large region would cost more than the create itself.
  for (let offset = 0; offset < count; offset += portsAtOnce) {
    const size = Math.min(portsAtOnce, count - offset);
    const ports = Array.from({ length: size }, (_, i) => first + ((start + offset + i) % count));
    const taken = await listTaken(em, region, ports);
    for (const port of ports) {
      if (!taken.has(port) && (await canBind(port))) return port;
    }
  }
  throw new AppError('no_free_port', `All ${count} instance ports are in use.`);
}

async function listTaken(
  em: EntityManager,
  region: string,
  ports: readonly number[],
): Promise<Set<number>> {
  const rows: { port: number }[] = await em.getConnection().execute(
    `select node_port as port from instances
        where region = ? and node_port in (${ports.map(() => '?').join(', ')})`,
    [region, ...ports],
  );
  return new Set(rows.map(({ port }) => port));
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .once('listening', () => server.close(() => resolve(true)))
      .listen({ port, host: '127.0.0.1', exclusive: true });
  });
}
