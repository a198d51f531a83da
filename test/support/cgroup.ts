/** What the kernel holds a container to: its cgroup, version 1 or 2, as the host sees it. */
import { readFileSync } from 'node:fs';
import type Docker from 'dockerode';

/** The memory limit in bytes that is in force for a running container. */
export async function readMemoryLimit(container: Docker.Container): Promise<number> {
  const { State } = await container.inspect();
  const lines = readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8').trim().split('\n');
  const versionOne = lines.find((line) => line.split(':')[1]?.split(',').includes('memory'));
  const path = (versionOne ?? lines[0] ?? '').split(':').slice(2).join(':');
  const file = versionOne
    ? `/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`
    : `/sys/fs/cgroup${path}/memory.max`;
  return Number(readFileSync(file, 'utf8'));
}
