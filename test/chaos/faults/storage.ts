/** The disk is full, the database is locked, restarted or cut off while there is work in hand. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, startPostgresServer } from '../../support/postgres-server.ts';
import { type Bench, CannotBreak, type Fault } from '../bench.ts';
import type { World } from '../world.ts';

const inFlight = 3;
const lockedMs = { short: 8_000, full: 30_000 };
const diskMib = 24;
/** A service that cannot write may be slow to say so, but no test waits for it. */
const answerWithinMs = 20_000;

async function allSucceed(world: World, operationIds: readonly string[]): Promise<void> {
  for (const id of operationIds) {
    const { status, error } = await world.awaitEnd(id);
    if (status !== 'SUCCEEDED') throw new Error(`${status} ${error?.code}: ${error?.message}`);
  }
}

export const databaseLocked: Fault = {
  name: 'database locked',
  what: 'another process holds a write transaction on the embedded database: creates in hand end well after it',
  tries: { short: 1, full: 3 },
  async run(bench) {
    const world = await bench.fresh();
    const file = join(world.service.dataDir, 'swiftcache.db');
    for (let count = 1; count <= bench.tries; count += 1) {
      await bench.attempt(`try ${count}`, async (broken) => {
        const created = [await world.request(), await world.request(), await world.request()];
        const other = new DatabaseSync(file, { timeout: 30_000 });
        other.exec('begin immediate');
        await sleep(lockedMs[bench.isShort ? 'short' : 'full']);
        other.exec('rollback');
        other.close();
        broken();
        await allSucceed(
          world,
          created.map(({ operationId }) => operationId),
        );
        await Promise.all(created.map(({ id }) => world.remove(id)));
      });
      await bench.audit(world);
    }
  },
};

export const diskFull: Fault = {
  name: 'disk full',
  what: 'no room for database, state and configuration: creates fail or wait, and go well once there is room',
  tries: { short: 1, full: 3 },
  async run(bench) {
    const disk = mountSmallDisk(bench);
    const world = await bench.fresh({ settings: { SWIFTCACHE_DATA_DIR: join(disk, 'data') } });
    const filler = join(disk, 'filler');
    for (let count = 1; count <= bench.tries; count += 1) {
      await bench.attempt(`try ${count}`, async (broken) => {
        const kept = await world.create();
        const given = await world.request();
        fill(filler);
        // Some of what happens now fails; nothing of it may be half done afterwards.
        const late = sleep(answerWithinMs, undefined, { ref: false });
        await Promise.race([world.request().catch(() => undefined), late]);
        await sleep(5_000);
        rmSync(filler);
        broken();
        const { status } = await world.awaitEnd(given.operationId);
        if (status !== 'SUCCEEDED') {
          bench.say(`  the create ended ${status} without room; it is retried`);
          const path = `/api/v1/instances/${given.id}/retry`;
          await allSucceed(world, [await world.change('POST', path)]);
        }
        await world.command(kept, 'SET', 'a', 'b');
        const ids = await world.withRows(async (rows) =>
          rows.filter((row) => row.status !== 'DELETED').map(({ id }) => id),
        );
        await Promise.all(ids.map((id) => world.remove(id)));
      });
      await bench.audit(world);
    }
  },
};

export const postgresRestarted: Fault = {
  name: 'PostgreSQL restarted',
  what: 'a crash of the database server and its recovery with creates in hand: they end well',
  tries: { short: 1, full: 5 },
  run: (bench) =>
    onPostgres(bench, async (server) => {
      // The server takes one killed session for a crash: it ends all and recovers.
      const client = server.postgres.getPgClient();
      client.on('error', () => {});
      await client.connect();
      const { rows } = await client.query('select pg_backend_pid() as pid');
      process.kill(rows[0].pid, 'SIGKILL');
      await sleep(1_000);
      await client.end().catch(() => undefined);
    }),
};

export const connectionsCut: Fault = {
  name: 'database connections cut',
  what: 'every connection to PostgreSQL is ended again and again for three seconds, with creates in hand',
  tries: { short: 0, full: 5 },
  run: (bench) =>
    onPostgres(bench, async (server) => {
      const client = server.postgres.getPgClient();
      await client.connect();
      for (let times = 0; times < 20; times += 1) {
        await client.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null',
        );
        await sleep(150);
      }
      await client.end();
    }),
};

async function onPostgres(
  bench: Bench,
  breakIt: (server: PostgresServer) => Promise<void>,
): Promise<void> {
  const server = await startPostgresServer();
  bench.owner.teardown(() => server.stop());
  const settings = { SWIFTCACHE_DATABASE_URL: await server.createDatabase('chaos') };
  const world = await bench.fresh({ settings });
  for (let count = 1; count <= bench.tries; count += 1) {
    await bench.attempt(`try ${count}`, async (broken) => {
      const old = await world.create();
      const created = await Promise.all(Array.from({ length: inFlight }, () => world.request()));
      const deleted = await world.change('DELETE', `/api/v1/instances/${old.id}`);
      await breakIt(server);
      broken();
      await allSucceed(world, [...created.map(({ operationId }) => operationId), deleted]);
      await Promise.all(created.map(({ id }) => world.remove(id)));
    });
    await bench.audit(world);
  }
}

/** @throws {CannotBreak} where this process may not mount. */
function mountSmallDisk(bench: Bench): string {
  const disk = mkdtempSync(join(tmpdir(), 'swiftcache-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMib}m,mode=0700`, 'tmpfs', disk], {
      stdio: 'pipe',
    });
  } catch {
    rmSync(disk, { recursive: true });
    throw new CannotBreak('a small disk can be mounted by root only');
  }
  mkdirSync(join(disk, 'data'));
  bench.owner.teardown(() => {
    execFileSync('umount', ['--lazy', disk], { stdio: 'pipe' });
    rmSync(disk, { recursive: true });
  });
  return disk;
}

/** Writes until there is no room for one more byte. */
function fill(file: string): void {
  for (let bytes = 1024 * 1024; bytes >= 1; bytes = Math.floor(bytes / 4)) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' });
    } catch {
      // No room for a piece of this size.
    }
  }
}
