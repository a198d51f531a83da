import test from 'ava';
import { createAccountThrottle } from '../../../src/accounts/throttle.ts';
import type { AppError } from '../../../src/lib/errors.ts';

const isRefusal = { code: 'rate_limited' } as const;

test('five tries at one person from one network, and no sixth', async (t) => {
  const throttle = createAccountThrottle();
  for (let i = 0; i < 5; i += 1) await throttle.tryPassword('ada', '192.0.2.1');
  const refusal = await t.throwsAsync<AppError>(
    throttle.tryPassword('ada', '192.0.2.1'),
    isRefusal,
  );
  t.regex(refusal?.headers['Retry-After'] ?? '', /^[1-9]\d?$/);
  await t.notThrowsAsync(throttle.tryPassword('ada', '192.0.2.2'));
  await t.notThrowsAsync(throttle.tryPassword('grace', '192.0.2.1'));
});

test('a right password begins the count anew', async (t) => {
  const throttle = createAccountThrottle();
  for (let i = 0; i < 12; i += 1) {
    const succeeded = await throttle.tryPassword('ada', '192.0.2.1');
    if (i % 4 === 3) await succeeded();
  }
  t.pass();
});

test('who tries one password with many addresses is stopped', async (t) => {
  const throttle = createAccountThrottle();
  for (let i = 0; i < 100; i += 1) await throttle.tryPassword(`person ${i}`, '192.0.2.1');
  await t.throwsAsync(throttle.tryPassword('somebody else', '192.0.2.1'), isRefusal);
});

test('refused tries at one person do not lock out everybody behind the same router', async (t) => {
  const throttle = createAccountThrottle();
  for (let i = 0; i < 200; i += 1) await throttle.tryPassword('ada', '192.0.2.1').catch(() => {});
  await t.notThrowsAsync(throttle.tryPassword('grace', '192.0.2.1'));
});

test('the addresses of one IPv6 network count as one, however they are written', async (t) => {
  const throttle = createAccountThrottle();
  for (let i = 0; i < 5; i += 1) await throttle.tryPassword('ada', `2001:db8::${i}`);
  await t.throwsAsync(throttle.tryPassword('ada', '2001:db8:0:0:ffff::1'), isRefusal);
  await t.notThrowsAsync(throttle.tryPassword('ada', '2001:db8:0:1::1'));
  for (let i = 0; i < 5; i += 1) await throttle.tryPassword('bob', '::ffff:192.0.2.9');
  await t.throwsAsync(throttle.tryPassword('bob', '192.0.2.9'), isRefusal);
});

test('who has no address is counted too', async (t) => {
  const throttle = createAccountThrottle();
  for (let i = 0; i < 30; i += 1) await throttle.trySignUp(i % 2 === 0 ? null : 'no address');
  await t.throwsAsync(throttle.trySignUp(null), isRefusal);
});
