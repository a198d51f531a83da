import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { pastDeadLocks, readLockOwners } from '../../../src/provisioning/dead-locks.ts';
import type { Engine } from '../../../src/provisioning/engine.ts';

// As Pulumi 3.220 says it, of S3 and of PostgreSQL.
const refusal = `error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  s3://bucket/.pulumi/locks/organization/swiftcache/inst_x/6d3c8d4e.json?region=us-east-1: created by root@host-one.example (pid 4194000) at 2026-11-21T18:30:32Z
  postgres://user:secret@db/pulumi?.pulumi/locks/organization/swiftcache/inst_x/7.json: created by a.b@host-two (pid 7) at 2026-11-21T18:30:32Z`;

test('every owner that a refusal names is read', (t) => {
  t.deepEqual(readLockOwners(refusal), [
    { hostname: 'host-one.example', pid: 4_194_000 },
    { hostname: 'host-two', pid: 7 },
  ]);
});

test('what is no refusal names nobody', (t) => {
  t.deepEqual(readLockOwners('error: created by root@host (pid 1) at noon'), []);
});

const refusalOf = (pid: number | undefined): string =>
  `error: the stack is currently locked by 1 lock(s).
  s3://bucket/1.json: created by root@${hostname()} (pid ${pid}) at 2026-11-21T18:30:32Z`;

/** A run that a lock refuses. It never gets leave, so that nothing is cancelled in the test either. */
async function runLocked(t: ExecutionContext, refuse: () => string) {
  const seen = { works: 0, asks: 0 };
  const askLeave = async (): Promise<void> => {
    seen.asks += 1;
    throw new Error('no leave');
  };
  const work = async (): Promise<void> => {
    seen.works += 1;
    throw new Error(refuse());
  };
  const run = { askLeave, onProgress() {} };
  const error = await t.throwsAsync(pastDeadLocks({} as Engine, 'inst_x', run, work));
  return { ...seen, message: error?.message ?? '' };
}

test('a lock whose owner lives at the refusal is left alone, though the owner ends right after it', async (t) => {
  // Its `pulumi up` may follow at once, with a lock of its own.
  const owner = spawn('sleep', ['60'], { argv0: 'pulumi', stdio: 'ignore' });
  await once(owner, 'spawn');
  t.teardown(() => owner.kill('SIGKILL'));
  const { message, ...seen } = await runLocked(t, () => {
    setTimeout(() => owner.kill('SIGKILL'), 50);
    return refusalOf(owner.pid);
  });
  t.true(message.includes('currently locked'));
  t.deepEqual(seen, { works: 1, asks: 0 });
});

test("a dead owner's lock is removed only with leave", async (t) => {
  const { message, ...seen } = await runLocked(t, () => refusalOf(4_194_304));
  t.is(message, 'no leave');
  t.deepEqual(seen, { works: 1, asks: 1 });
});
