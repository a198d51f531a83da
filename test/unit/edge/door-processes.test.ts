/** Door processes beside the service: real forks that ask it for everything, one database. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { createDoorProcesses, type DoorProcesses } from '../../../src/door-processes.ts';
import { addFigures } from '../../../src/edge/exposed-figures.ts';
import { listenOnPort } from '../../../src/edge/port.ts';
import { createDatabasePorts } from '../../../src/keys/database-ports.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { DataKeyEntity, KeyBindingEntity } from '../../../src/store/entities/data-key.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { captureLog } from '../../support/log-lines.ts';
import { isRunning } from '../../support/processes.ts';
import { addInstance, addKey, type Client, openClient, openStore, startStandIn } from './door.ts';

const patience = { timeoutMs: 60_000, intervalMs: 20 };
const host = '127.0.0.1';
const anyPort = { number: 0, fixed: true };
const entrance = { proxiesFrom: [] };
const wanted = { host, port: anyPort, tlsPort: undefined, isShared: false, entrance };

async function make(t: ExecutionContext, { count = 1, areOthersThere = false } = {}) {
  const orm = await openStore(t);
  const { logger, text } = captureLog('debug');
  const ports = createDatabasePorts({ orm, logger }, areOthersThere);
  const processes = createDoorProcesses({ count, ports, logger, logLevel: 'silent', path: '' });
  t.teardown(() => processes.close());
  return { ...processes, orm, log: text };
}

/** Processes that serve, and a key for an instance that says what it hears. */
async function start(t: ExecutionContext, options: Parameters<typeof make>[1] = {}) {
  const made = await make(t, options);
  const { port } = await made.start(wanted);
  const standIn = await startStandIn(t);
  const instanceId = await addInstance(made.orm, { port: standIn.port });
  const key = await addKey(made.orm, [instanceId]);
  async function signIn(): Promise<Client> {
    const client = await openClient(t, port);
    client.send(`AUTH ${key.secret}\r\n`);
    t.is(await client.readLine(), '+OK');
    return client;
  }
  return { ...made, port, ...key, instanceId, signIn };
}

const read = ({ readFigures }: Pick<DoorProcesses, 'readFigures'>) => addFigures(readFigures());

test.serial(
  'a door process loads the door, the logger and a reader of addresses, and nothing else',
  async (t) => {
    const args = ['--import', './test/support/print-modules.ts', 'src/door-process.ts'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const packages = stdout.matchAll(/node_modules\/((?:@[^/\n]+\/)?[^/\n]+)/g);
    const loaded = new Set([...packages].map(([, name]) => name ?? ''));
    t.true(loaded.has('ipaddr.js'));
    for (const name of loaded)
      t.notRegex(name, /^(@mikro-orm|@pulumi|koa|@koa|dockerode|zod|pg|@?libsql)/);
    const folders = new Set([...stdout.matchAll(/\/src\/(\w+)\//g)].map(([, folder]) => folder));
    t.deepEqual([...folders].sort(), ['edge', 'instances', 'keys', 'lib', 'metrics', 'processes']);
  },
);

test.serial(
  'several serve one port, and what they count and which keys they saw is known to the service',
  async (t) => {
    const doors = await start(t, { count: 2 });
    t.is(doors.pids().length, 2);
    const clients = await Promise.all(Array.from({ length: 12 }, doors.signIn));
    for (const { send, readLine } of clients) {
      send('here\r\n');
      t.is(await readLine(), 'here');
    }
    await pollUntil(async () => read(doors).counters.commands === 12 || undefined, patience);
    t.is(read(doors).gauges.signed_in_connections, 12);
    t.is(doors.readFigures().length, 2);
    await pollUntil(async () => {
      const key = await doors.orm.em.fork().findOneOrFail(DataKeyEntity, { id: doors.keyId });
      return key.lastUsedAt ?? undefined;
    }, patience);
  },
);

test.serial(
  'a dropped key and a dropped instance end their connections in all processes',
  async (t) => {
    const doors = await start(t, { count: 2 });
    const first = await Promise.all(Array.from({ length: 6 }, doors.signIn));
    doors.dropKey(doors.keyId, doors.instanceId);
    await Promise.all(first.map(({ readToEnd }) => readToEnd()));
    const second = await Promise.all(Array.from({ length: 6 }, doors.signIn));
    doors.dropInstance(doors.instanceId);
    await Promise.all(second.map(({ readToEnd }) => readToEnd()));
    t.pass();
  },
);

test.serial('what another server takes away ends in a process, and the rest stays', async (t) => {
  const doors = await start(t, { areOthersThere: true });
  const kept = await addKey(doors.orm, [doors.instanceId]);
  const [one, two, staying] = await Promise.all([
    doors.signIn(),
    doors.signIn(),
    openClient(t, doors.port),
  ]);
  staying.send(`AUTH ${kept.secret}\r\n`);
  await staying.readLine();
  await doors.orm.em.fork().nativeDelete(KeyBindingEntity, { keyId: doors.keyId });
  await Promise.all([one.readToEnd(), two.readToEnd()]);
  staying.send('kept\r\n');
  t.is(await staying.readLine(), 'kept');
});

test.serial(
  'several hold one rate, and a rate that is changed holds for connections that are open',
  async (t) => {
    const { orm, keyId, signIn } = await start(t, { count: 2 });
    const clients = await Promise.all(Array.from({ length: 8 }, signIn));
    await orm.em.fork().nativeUpdate(DataKeyEntity, { id: keyId }, { rateLimit: 20 });
    const count = async (): Promise<number> => {
      const rounds = clients.map(async ({ send, readLine }) => {
        send('PING\r\n'.repeat(20));
        let passed = 0;
        // A refused one reaches the stand-in as the word in its place, which it sends back.
        for (let line = 0; line < 20; line += 1) passed += (await readLine()) === 'PING' ? 1 : 0;
        return passed;
      });
      return (await Promise.all(rounds)).reduce((sum, passed) => sum + passed, 0);
    };
    const keepsTo = async (): Promise<boolean> => {
      const begunMs = performance.now();
      const passed = await count();
      const windows = Math.ceil((performance.now() - begunMs) / 1_000) + 1;
      return passed <= 20 * windows;
    };
    // Each learns of the change by itself, within a second.
    await pollUntil(async () => (await keepsTo()) || undefined, patience);
    t.true(await keepsTo());
  },
);

test.serial(
  'one that is killed is replaced; clients of the others notice nothing, and its figures stay',
  async (t) => {
    const doors = await start(t, { count: 2 });
    const clients = await Promise.all(Array.from({ length: 16 }, doors.signIn));
    await pollUntil(async () => read(doors).counters.opened === 16 || undefined, patience);
    const before = doors.pids();
    process.kill(before[0] ?? 0, 'SIGKILL');
    const isReplaced = () => doors.pids().length === 2 && doors.pids()[0] === before[1];
    await pollUntil(async () => isReplaced() || undefined, patience);
    let stayed = 0;
    for (const { send, readLine } of clients) {
      send('still here\r\n');
      stayed += (await readLine().catch(() => '')) === 'still here' ? 1 : 0;
    }
    t.true(stayed > 0 && stayed < 16, `${stayed} of 16 stayed`);
    await Promise.all(Array.from({ length: 8 }, doors.signIn));
    await pollUntil(async () => read(doors).counters.opened === 24 || undefined, patience);
    t.regex(doors.log(), /a door process ended/);
  },
);

test.serial('one that cannot be begun for a while is begun when it can be', async (t) => {
  const program = process.execPath;
  t.teardown(() => {
    process.execPath = program;
  });
  const doors = await start(t);
  // Such as with no process left for it, which the system tells later, and with no memory, which it tells at once.
  process.execPath = '/nowhere/node';
  process.kill(doors.pids()[0] ?? 0, 'SIGKILL');
  await pollUntil(async () => /ENOENT/.test(doors.log()) || undefined, patience);
  process.execPath = '';
  await pollUntil(async () => /cannot be begun/.test(doors.log()) || undefined, patience);
  process.execPath = program;
  await pollUntil(async () => doors.pids().length === 1 || undefined, patience);
  await doors.signIn();
});

test.serial('a stop comes to its end while a process cannot be begun', async (t) => {
  const program = process.execPath;
  const doors = await make(t);
  process.execPath = '/nowhere/node';
  const starting = t.throwsAsync(doors.start(wanted), { message: /ended before it served/ });
  await starting.finally(() => {
    process.execPath = program;
  });
  await doors.close();
  t.deepEqual(doors.pids(), []);
});

test.serial(
  'figures are there from the start, and of one that has ended only its counts',
  async (t) => {
    const doors = await make(t);
    await doors.start({ ...wanted, entrance: { ...entrance, certificate: await makeFiles(t) } });
    t.is(read(doors).counters.accepted, 0);
    t.true((read(doors).lows.certificate_remaining_seconds ?? 0) > 0);
    process.kill(doors.pids()[0] ?? 0, 'SIGKILL');
    await pollUntil(async () => doors.pids().length === 0 || undefined, patience);
    const { counters, gauges, peaks, lows } = read(doors);
    t.is(counters.accepted, 0);
    t.deepEqual([gauges, peaks, lows], [{}, {}, {}]);
  },
);

test.serial('a stop lets nobody in, ends all connections, and leaves no process', async (t) => {
  const doors = await start(t, { count: 2 });
  const client = await doors.signIn();
  const pids = doors.pids();
  await doors.close();
  await client.readToEnd();
  await t.throwsAsync(once(connect(doors.port, host), 'connect'), { code: 'ECONNREFUSED' });
  t.false(pids.some(isRunning));
});

test.serial(
  'the wanted ports are taken or, where nobody fixed them, the next free ones',
  async (t) => {
    const certificate = await makeFiles(t);
    const taken = await listenAnywhere(t);
    const doors = await make(t, { count: 2 });
    const loose = { number: taken, fixed: false };
    const ports = await doors.start({
      ...wanted,
      port: loose,
      tlsPort: loose,
      entrance: { ...entrance, certificate },
    });
    t.true(ports.port > taken);
    t.true((ports.tlsPort ?? 0) > ports.port);
    await Promise.all([ports.port, ports.tlsPort ?? 0].map((port) => openClient(t, port)));
  },
);

test.serial('a certificate that is replaced is taken by every process', async (t) => {
  const { authority, replace, ...files } = await makeCertificate(t);
  const certificate = { certFile: files.certFile, keyFile: files.keyFile };
  const doors = await make(t, { count: 2 });
  const own = { ...entrance, certificate, certificateLookMs: 20 };
  const { port } = await doors.start({ ...wanted, entrance: own });
  const look = async (): Promise<string> => {
    const client = connectTls({ port, host, ca: authority.cert });
    await once(client, 'secureConnect');
    const { serialNumber } = client.getPeerCertificate();
    client.destroy();
    return serialNumber;
  };
  const lookOften = async () => new Set(await Promise.all(Array.from({ length: 8 }, look)));
  const before = await lookOften();
  t.is(before.size, 1);
  await replace();
  await pollUntil(async () => before.isDisjointFrom(await lookOften()) || undefined, patience);
  t.is((await lookOften()).size, 1);
});

test.serial(
  'a taken port and an unusable certificate stop the start, in the words of the door',
  async (t) => {
    const port = { number: await listenAnywhere(t), fixed: true };
    const doors = await make(t);
    const tls = { ...wanted, tlsPort: port };
    await t.throwsAsync(doors.start({ ...wanted, port }), {
      message: /set SWIFTCACHE_REDIS_PORT to a free port/,
    });
    await t.throwsAsync(doors.start(tls), {
      message: /set SWIFTCACHE_REDIS_TLS_PORT to a free port/,
    });
    // Where the port is shared, the process is the first to see that it cannot be had.
    const shared = await make(t);
    await t.throwsAsync(shared.start({ ...wanted, port, isShared: true }), {
      message: /set SWIFTCACHE_REDIS_PORT to a free port/,
    });
    const certificate = await makeFiles(t);
    writeFileSync(certificate.keyFile, 'none');
    const third = await make(t);
    await t.throwsAsync(third.start({ ...wanted, entrance: { ...entrance, certificate } }), {
      message: /SWIFTCACHE_REDIS_TLS_KEY_FILE/,
    });
    t.deepEqual(third.pids(), []);
  },
);

async function makeFiles(t: ExecutionContext) {
  const { certFile, keyFile } = await makeCertificate(t);
  return { certFile, keyFile };
}

async function listenAnywhere(t: ExecutionContext): Promise<number> {
  const server = createServer();
  t.teardown(() => server.close());
  return await listenOnPort(server, { host, port: anyPort });
}
