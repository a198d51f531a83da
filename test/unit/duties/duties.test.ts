import type { ExecutionContext } from 'ava';
import {
  type DutyServices,
  type DutyWork,
  doInTurn,
  type HeldDuty,
  holdDuty,
} from '../../../src/duties/duties.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import type { EntityManager, Orm } from '../../../src/store/database.ts';
import { DutyEntity } from '../../../src/store/entities/duty.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { captureLog } from '../../support/log-lines.ts';

const hourMs = 3_600_000;
/** Asked for often, so that tests are quick; kept for long, so that a busy machine loses none. */
const times = { leaseMs: 60_000, renewMs: 50, pollMs: 10 };

interface Server {
  readonly duty: HeldDuty;
  /** How often its work was begun, and whether it is under way. */
  begun: number;
  isWorking: boolean;
}

function serve(t: ExecutionContext, orm: Orm, changes: Partial<DutyServices> = {}): Server {
  const { logger } = captureLog();
  const services = { orm, logger, owner: 'me', isGone: () => false, ...changes };
  const server: Server = {
    duty: holdDuty(services, 'work', begin, times),
    begun: 0,
    isWorking: false,
  };
  function begin(): DutyWork {
    server.begun += 1;
    server.isWorking = true;
    return {
      async stop() {
        server.isWorking = false;
      },
    };
  }
  t.teardown(() => server.duty.stop());
  return server;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const probe = async () => ((await condition()) ? true : undefined);
  await pollUntil(probe, { timeoutMs: 20_000, intervalMs: 5 });
}

function readDuty(orm: Orm) {
  return orm.em.fork().findOneOrFail(DutyEntity, { name: 'work' });
}

async function execute(orm: Orm, sql: string, parameters: unknown[]): Promise<void> {
  await (orm.em.fork() as EntityManager).getConnection().execute(sql, parameters, 'run');
}

async function writeDuty(orm: Orm, owner: string, inMs: number): Promise<void> {
  await execute(orm, 'insert into duties (name, owner, expires_at_ms, epoch) values (?, ?, ?, 7)', [
    'work',
    owner,
    Date.now() + inMs,
  ]);
}

testOnEachDatabase('of five servers one does the work, and the others wait', async (t, orm) => {
  const servers = ['a', 'b', 'c', 'd', 'e'].map((owner) => serve(t, orm, { owner }));
  await until(() => servers.some(({ isWorking }) => isWorking));
  const { owner, epoch, expiresAtMs } = await readDuty(orm);
  // Renewed by its owner, and never taken by another.
  await until(async () => (await readDuty(orm)).expiresAtMs > expiresAtMs);
  t.is((await readDuty(orm)).owner, owner);
  t.is((await readDuty(orm)).epoch, epoch);
  t.deepEqual(servers.map(({ begun }) => begun).sort(), [0, 0, 0, 0, 1]);
});

testOnEachDatabase('an orderly end hands the duty to another server at once', async (t, orm) => {
  const first = serve(t, orm, { owner: 'first' });
  await until(() => first.isWorking);
  const second = serve(t, orm, { owner: 'second' });
  await first.duty.stop();
  t.false(first.isWorking);
  await until(() => second.isWorking);
  t.is((await readDuty(orm)).owner, 'second');
  await second.duty.stop();
  const { owner, expiresAtMs } = await readDuty(orm);
  t.deepEqual({ owner, expiresAtMs }, { owner: null, expiresAtMs: 0 });
});

testOnEachDatabase('a server that lost its duty stops the work, and asks again', async (t, orm) => {
  const server = serve(t, orm);
  await until(() => server.isWorking);
  await execute(orm, 'update duties set owner = ?, epoch = epoch + 1', ['another']);
  await until(() => !server.isWorking);
  t.is((await readDuty(orm)).owner, 'another', 'what it lost is not its own to hand back');
  await execute(orm, 'update duties set expires_at_ms = ?', [0]);
  await until(() => server.isWorking);
  t.is(server.begun, 2);
});

testOnEachDatabase('a duty of a process that is gone is taken at once', async (t, orm) => {
  await writeDuty(orm, 'dead', times.leaseMs - 1_000);
  const server = serve(t, orm, { isGone: (owner) => owner === 'dead' });
  await until(() => server.isWorking);
  t.is((await readDuty(orm)).epoch, 8);
});

testOnEachDatabase(
  'a duty of a server that is silent is taken once its time is over, and not before',
  async (t, orm) => {
    const leftMs = 400;
    const writtenMs = performance.now();
    await writeDuty(orm, 'silent', leftMs);
    const server = serve(t, orm);
    await until(() => server.isWorking);
    t.true(performance.now() - writtenMs >= leftMs - 50);
  },
);

testOnEachDatabase(
  'a clock that was set back an hour keeps no duty from anybody',
  async (t, orm) => {
    await writeDuty(orm, 'silent', hourMs);
    const server = serve(t, orm);
    await until(() => server.isWorking);
    t.pass();
  },
);

testOnEachDatabase('work that cannot begin is begun again', async (t, orm) => {
  const { logger } = captureLog();
  let tries = 0;
  const services = { orm, logger, owner: 'me', isGone: () => false };
  const begin = (): DutyWork => {
    tries += 1;
    if (tries < 3) throw new Error('not yet');
    return { stop: async () => {} };
  };
  const duty = holdDuty(services, 'work', begin, times);
  t.teardown(() => duty.stop());
  await until(() => tries === 3);
  t.pass();
});

testOnEachDatabase(
  'what several servers do in turn is never done by two at once',
  async (t, orm) => {
    const { logger } = captureLog();
    let atOnce = 0;
    let most = 0;
    const turns = ['a', 'b', 'c'].map((owner) =>
      doInTurn({ orm, logger, owner, isGone: () => false }, 'work', async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await new Promise((resolve) => setTimeout(resolve, 20));
        atOnce -= 1;
        return owner;
      }),
    );
    t.deepEqual(await Promise.all(turns), ['a', 'b', 'c']);
    t.is(most, 1);
  },
);
