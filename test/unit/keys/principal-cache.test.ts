/** What the surfaces know of keys, while drops come in the midst of look-ups. */
import test from 'ava';
import { createPrincipalCache } from '../../../src/keys/principal-cache.ts';
import type { KnownPrincipal } from '../../../src/keys/principals.ts';
import { systemClock } from '../../../src/lib/clock.ts';

const hash = 'a'.repeat(64);

function principalOf(ipWhitelist: readonly string[]): KnownPrincipal {
  const key = { id: 'key_own', organizationId: 'org_test', secretHash: hash, permissions: [] };
  const terms = { rateLimit: 1_000, expiresAt: null };
  const own = { ...key, ...terms, ipWhitelist: [...ipWhitelist] };
  return { key: own, instances: [], requestsPerSecond: 1, connectionsMax: 1 };
}

/** A cache whose questions are answered by hand, in order. */
function make() {
  const answers: ((found: KnownPrincipal | undefined) => void)[] = [];
  const findPrincipal = () =>
    new Promise<KnownPrincipal | undefined>((resolve) => answers.push(resolve));
  const cache = createPrincipalCache({ findPrincipal, clock: systemClock });
  const answer = async (found: KnownPrincipal | undefined): Promise<void> => {
    answers.shift()?.(found);
    await new Promise(setImmediate);
  };
  return { cache, answer, asked: () => answers.length };
}

test('what was found before its key was dropped is never given, however many drops there were', async (t) => {
  const { cache, answer } = make();
  const found = cache.find(hash);
  for (const ipWhitelist of [[], ['192.0.2.1'], ['192.0.2.2']]) {
    cache.dropKey('key_own');
    await answer(principalOf(ipWhitelist));
  }
  await answer(principalOf(['192.0.2.3']));
  t.deepEqual((await found)?.principal.key.ipWhitelist, ['192.0.2.3']);
  t.deepEqual(cache.read(hash)?.principal.key.ipWhitelist, ['192.0.2.3']);
});

test('a look-up is not asked again for the drops of others', async (t) => {
  const { cache, answer, asked } = make();
  const found = cache.find(hash);
  cache.dropKey('key_other');
  cache.dropInstance('inst_other');
  await answer(principalOf([]));
  t.is(asked(), 0);
  t.truthy(await found);
});

test('a key that is dropped at every look-up is given up', async (t) => {
  const { cache, answer, asked } = make();
  const found = t.throwsAsync(cache.find(hash), { message: /changes too often/ });
  while (asked() > 0) {
    cache.dropKey('key_own');
    await answer(principalOf([]));
  }
  await found;
});
