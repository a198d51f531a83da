import test from 'ava';
import { readLockOwners } from '../../../src/provisioning/dead-locks.ts';

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
