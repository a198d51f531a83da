/** What a crash of the machine or a full disk leaves in the files of Pulumi's backend. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { backendFolder } from '../audit.ts';
import type { Fault } from '../bench.ts';
import type { World } from '../world.ts';

const mib = 1024 * 1024;

async function updateEnds(world: World, id: string, maxMemory: number): Promise<void> {
  const operationId = await world.change('PATCH', `/api/v1/instances/${id}`, { maxMemory });
  const { status, error } = await world.awaitEnd(operationId);
  if (status !== 'SUCCEEDED') throw new Error(`${status} ${error?.code}: ${error?.message}`);
}

export const staleLock: Fault = {
  name: 'stale lock',
  what: "a dead process's lock on an instance's stack: an update takes it away and ends well",
  tries: { short: 1, full: 5 },
  async run(bench) {
    const world = await bench.shared();
    for (let count = 1; count <= bench.tries; count += 1) {
      await bench.attempt(`try ${count}`, async (broken) => {
        const { id } = await world.create();
        const folder = join(backendFolder(world) ?? '', 'locks/organization/swiftcache', id);
        mkdirSync(folder, { recursive: true });
        const lock = {
          pid: await deadPid(),
          username: 'root',
          hostname: hostname(),
          timestamp: new Date(),
        };
        writeFileSync(join(folder, `${randomUUID()}.json`), JSON.stringify(lock));
        broken();
        await updateEnds(world, id, 48 * mib);
        await world.remove(id);
      });
      await bench.audit(world);
    }
  },
};

export const tornCheckpoint: Fault = {
  name: 'torn checkpoint',
  what: "an instance's checkpoint is cut in half, is empty, or holds no JSON: an update ends well, the data stays",
  tries: { short: 1, full: 9 },
  async run(bench) {
    const world = await bench.shared();
    for (let count = 1; count <= bench.tries; count += 1) {
      const kind = (['cut in half', 'empty', 'no JSON'] as const)[count % 3] ?? 'empty';
      await bench.attempt(`try ${count}, ${kind}`, async (broken) => {
        const instance = await world.create({ persistence: true });
        await world.command(instance, 'SET', 'kept', 'yes');
        tear(join(backendFolder(world) ?? '', 'stacks/swiftcache', `${instance.id}.json`), kind);
        broken();
        await updateEnds(world, instance.id, 48 * mib);
        if ((await world.command(instance, 'GET', 'kept')) !== 'yes') throw new Error('data lost');
        await bench.audit(world, { previews: true });
        await world.remove(instance.id);
      });
      await bench.audit(world);
    }
  },
};

function tear(file: string, kind: 'cut in half' | 'empty' | 'no JSON'): void {
  const bytes = readFileSync(file).length;
  if (kind === 'no JSON') writeFileSync(file, '\0'.repeat(bytes));
  else truncateSync(file, kind === 'empty' ? 0 : Math.floor(bytes / 2));
}

/** The id of a process that has just ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  return child.pid ?? 0;
}
