import { parseOptions } from '@node-rs/argon2';
import test from 'ava';
import {
  hashPassword,
  isOutdated,
  nobodysHash,
  verifyPassword,
} from '../../../src/accounts/passwords.ts';
import { AppError } from '../../../src/lib/errors.ts';

test.serial('a password fits its own hash and no other', async (t) => {
  const one = await hashPassword('correct horse');
  const other = await hashPassword('correct horse');
  t.not(one, other);
  t.true(await verifyPassword(one, 'correct horse'));
  t.false(await verifyPassword(one, 'correct horse '));
  t.false(isOutdated(one));
});

test.serial('nobody has no password, not even the one of the stand-in', async (t) => {
  for (const password of ['', 'x', '\u0001'.repeat(32)]) {
    t.false(await verifyPassword(undefined, password));
  }
});

test.serial('a check is the same work for nobody as for somebody', async (t) => {
  const somebodys = parseOptions(await hashPassword('correct horse'));
  t.deepEqual(parseOptions(nobodysHash), somebodys);
  t.regex(nobodysHash, /^\$argon2id\$/);
});

test.serial('too many at once are told to come back, and nobody waits for ever', async (t) => {
  const tries = await Promise.allSettled(
    Array.from({ length: 40 }, () => verifyPassword(undefined, 'x')),
  );
  const refused = tries.filter((outcome) => outcome.status === 'rejected');
  // Two run, 32 wait.
  t.is(refused.length, 6);
  for (const { reason } of refused) {
    t.true(reason instanceof AppError);
    t.like(reason, { code: 'rate_limited', headers: { 'Retry-After': '2' } });
  }
  t.false(await verifyPassword(undefined, 'x'));
});

test.serial('work that fails gives its place on', async (t) => {
  for (let i = 0; i < 5; i += 1) await t.throwsAsync(verifyPassword('no hash', 'x'));
  t.false(await verifyPassword(undefined, 'x'));
});
