/** What is asked of containers, and what becomes of an answer that does not come. */
import test from 'ava';
import type Docker from 'dockerode';
import type { JudgedRow } from '../../../../src/provisioning/drift/judged-rows.ts';
import { createLimits } from '../../../../src/provisioning/drift/limits.ts';
import { captureLog } from '../../../support/log-lines.ts';

const rows = ['a', 'b', 'c'].map((id) => ({ id, generation: 1, leaseEpoch: 1 }) as JudgedRow);
const containers = new Map(rows.map(({ id }) => [id, { id, name: id, state: 'running' }]));
const seen = { containers, volumes: new Map<string, Date>() };

test('a container that cannot be inspected hides no other, and is not asked at every look', async (t) => {
  const asked: string[] = [];
  const docker = {
    getContainer: (id: string) => ({
      async inspect() {
        asked.push(id);
        if (id === 'a') throw Object.assign(new Error('broken'), { statusCode: 500 });
        return { HostConfig: { Memory: 1, MemorySwap: 1, RestartPolicy: { Name: 'no' } } };
      },
    }),
  } as unknown as Docker;
  const limits = createLimits(docker, captureLog('debug').logger);
  await limits.refresh(rows, seen);
  t.deepEqual(
    rows.map((row) => limits.of(row.id, row)?.memoryBytes),
    [undefined, 1, 1],
  );
  await limits.refresh(rows, seen);
  t.deepEqual(asked.sort(), ['a', 'b', 'c']);
});
