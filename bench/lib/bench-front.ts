/** A front to measure: the service in a process of its own, a Redis behind it, and callers' rows. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/store/database.ts';
import { type BenchRedis, startBenchRedis } from './bench-redis.ts';
import { addCallers, type Caller } from './caller-rows.ts';

/** Linux tells processor time in hundredths of a second, whatever it counts in. */
const msPerTick = 10;

/** Where a front is reached; the door's port means something only where the front is the door. */
export interface FrontAddress {
  readonly url: string;
  readonly doorPort: number;
}

export interface BenchFront extends FrontAddress {
  readonly pid: number;
  readonly redis: BenchRedis;
  readonly callers: readonly Caller[];
  /** Of one process alone: the front's, or its first door process. */
  readFootprint(): Footprint;
  /** Has the front collect its garbage; gives the MiB that are left, with those beside its heap. */
  readLiveMib(): Promise<number>;
  stop(): Promise<void>;
}

export interface Footprint {
  readonly rssMib: number;
  /** Open files and sockets. */
  readonly handles: number;
}

interface Options {
  readonly role?: 'gateway' | 'edge';
  readonly callers?: number;
  /** Door processes; 0: the front's own process is the door. */
  readonly doorProcesses?: number;
  /** Where a CPU profile is to be written when the front ends. */
  readonly profileDir?: string | undefined;
}

/** Starts it. @throws where Docker or the Redis image is missing, or the service does not start. */
export async function startBenchFront({
  role = 'gateway',
  callers: count = 1,
  doorProcesses = 0,
  profileDir,
}: Options = {}): Promise<BenchFront> {
  const dataDir = mkdtempSync(join(tmpdir(), 'swiftcache-bench-'));
  const redis = await startBenchRedis();
  try {
    const orm = await openDatabase({
      databaseUrl: undefined,
      databaseFile: join(dataDir, 'swiftcache.db'),
    });
    const callers = await addCallers(orm, redis, count);
    await orm.close();
    const child = fork(join(import.meta.dirname, 'front-process.ts'), [role], {
      env: {
        ...process.env,
        SWIFTCACHE_DATA_DIR: dataDir,
        SWIFTCACHE_PORT: '0',
        SWIFTCACHE_REDIS_PORT: '0',
        SWIFTCACHE_REDIS_PROCESSES: String(doorProcesses),
      },
      execArgv: profileDir ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`] : [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const address = await readAddress(child);
    const pid = doorProcesses > 0 ? findDoorProcess(child.pid) : (child.pid ?? 0);
    return {
      ...address,
      pid,
      redis,
      callers,
      readFootprint: () => readFootprint(pid),
      async readLiveMib() {
        const told = once(child, 'message');
        child.send('collect');
        const [bytes] = await told;
        return Number(bytes) / 2 ** 20;
      },
      async stop() {
        const exited = once(child, 'exit');
        child.disconnect();
        await exited;
        await redis.stop();
        rmSync(dataDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await redis.stop();
    throw error;
  }
}

/** The path of an instance, and the header that opens it. */
export function asCaller(
  { url }: Pick<BenchFront, 'url'>,
  { instanceId, secret }: Caller,
): { url: string; headers: Record<string, string> } {
  return {
    url: `${url}/redis/${instanceId}`,
    headers: { Authorization: `Bearer ${secret}` },
  };
}

async function readAddress(child: ChildProcess): Promise<FrontAddress> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('the front did not start');
  });
  const [address] = await Promise.race([once(child, 'message'), ended]);
  return address as FrontAddress;
}

/** The processor time that a process has had, of all its threads, to a hundredth of a second. */
export function readCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is a name in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * msPerTick;
}

function findDoorProcess(parent = 0): number {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8');
  const pids = children.trim().split(' ').map(Number);
  const found = pids.find((pid) => {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('door-process.ts');
  });
  if (!found) throw new Error('the front has no door process');
  return found;
}

/** From Linux's /proc: the benchmark's only place. */
function readFootprint(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rssKib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  return { rssMib: rssKib / 1024, handles: readdirSync(`/proc/${pid}/fd`).length };
}
