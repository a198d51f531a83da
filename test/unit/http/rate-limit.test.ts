import test from 'ava';
import type { Caller } from '../../../src/accounts/caller.ts';
import { createRateLimits, type RateLimits } from '../../../src/http/rate-limit.ts';
import type { HttpContext } from '../../../src/http/route.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { Orm } from '../../../src/store/database.ts';
import { createTestClock } from '../../support/clock.ts';

function createLimits(): RateLimits {
  // Who is not found has no plan to look up.
  return createRateLimits({ orm: {} as Orm, clock: createTestClock() });
}

function from(ip: string): HttpContext {
  return { ip, socket: {}, state: { requestId: 'req' }, set: () => {} } as unknown as HttpContext;
}

/** What a try with a key that nobody has is answered with. */
async function tryKey(limits: RateLimits, ip: string, key: string): Promise<string> {
  try {
    await limits.guardAuthentication(from(ip), key, async () => {
      throw new AppError('invalid_authentication_token');
    });
    return 'known';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

async function exhaust(limits: RateLimits, ip: string): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) await tryKey(limits, ip, `key ${tries}`);
}

for (const [network, [tried, neighbour, other]] of Object.entries({
  'an IPv4 address': ['192.0.2.1', '192.0.2.1', '192.0.2.2'],
  'an IPv6 network of 64 bits': ['2001:db8::1', '2001:db8:0:0:ffff::2', '2001:db8:0:1::1'],
  'an IPv6 network that is written out': [
    '2001:db8:1:2:3:4:5:6',
    '2001:db8:1:2::',
    '2001:db8:1:3::',
  ],
}) as [string, [string, string, string]][]) {
  test(`wrong keys are counted together for ${network}, and for no other`, async (t) => {
    const limits = createLimits();
    await exhaust(limits, tried);
    t.is(await tryKey(limits, neighbour, 'a key'), 'rate_limited');
    t.is(await tryKey(limits, other, 'a key'), 'invalid_authentication_token');
  });
}

test('what was good of late is looked up behind an address that is refused', async (t) => {
  const limits = createLimits();
  const ip = '192.0.2.1';
  const caller = { roles: new Map() } as unknown as Caller;
  t.is(await limits.guardAuthentication(from(ip), 'good', async () => caller), caller);
  await exhaust(limits, ip);
  t.is(await limits.guardAuthentication(from(ip), 'good', async () => caller), caller);
  t.is(await tryKey(limits, ip, 'good'), 'invalid_authentication_token');
  t.is(await tryKey(limits, ip, 'other'), 'rate_limited');
});

test("a fault of our own is nobody's wrong key", async (t) => {
  const limits = createLimits();
  const broken = async (): Promise<never> => {
    throw new Error('connect ECONNREFUSED');
  };
  for (let tries = 0; tries < 70; tries += 1) {
    await t.throwsAsync(limits.guardAuthentication(from('192.0.2.1'), 'a key', broken));
  }
  t.is(await tryKey(limits, '192.0.2.1', 'a key'), 'invalid_authentication_token');
});
