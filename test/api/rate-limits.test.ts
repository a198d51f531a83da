/** How often the API may be called: by whom, from where, and how its answers say so. */
import test from 'ava';
import { planOf } from '../../src/instances/plans.ts';
import { createAccountSecret } from '../../src/keys/format.ts';
import { OrganizationEntity } from '../../src/store/entities/organization.ts';
import { type Answer, type Api, startApi } from '../support/api.ts';
import { openTestDatabase, testOnEachDatabase } from '../support/databases.ts';
import { isProblem, startEmbeddedApi } from '../support/problems.ts';

const instances = '/api/v1/instances';
const rateOf = (plan: string): number => planOf(plan).apiRequestsPerMinute;

function list({ call, owner }: Api, secret = owner.secret): Promise<Answer> {
  return call('get', `${instances}?organizationId=${owner.organizationId}`, { key: secret });
}

/** The numbers of the two headers. */
function readLimit({ headers }: Answer): { q: number; w: number; r: number; t: number } {
  const policy = /^"default";q=(\d+);w=(\d+)$/.exec(headers.get('RateLimit-Policy') ?? '');
  const left = /^"default";r=(\d+);t=(\d+)$/.exec(headers.get('RateLimit') ?? '');
  const [q, w] = (policy ?? []).slice(1).map(Number);
  const [r, t] = (left ?? []).slice(1).map(Number);
  return { q: q ?? -1, w: w ?? -1, r: r ?? -1, t: t ?? -1 };
}

async function setPlan({ orm, owner }: Api, plan: string): Promise<void> {
  const id = owner.organizationId;
  await orm.em.fork().nativeUpdate(OrganizationEntity, { id }, { plan });
}

testOnEachDatabase(
  "a caller's answers tell its plan's rate, what is left of it and for how long",
  async (t, orm) => {
    const api = await startApi(t, orm);
    await setPlan(api, 'free');
    const first = readLimit(await list(api));
    t.like(first, { q: rateOf('free'), w: 60, r: rateOf('free') - 1 });
    t.true(first.t >= 1 && first.t <= 60);
    t.is(readLimit(await list(api)).r, rateOf('free') - 2);
  },
);

testOnEachDatabase('a new plan counts within a minute', async (t, orm) => {
  const api = await startApi(t, orm);
  await setPlan(api, 'free');
  t.is(readLimit(await list(api)).q, rateOf('free'));
  await setPlan(api, 'pro');
  api.clock.advance(60_000);
  t.is(readLimit(await list(api)).q, rateOf('pro'));
});

test('a caller over its rate is refused with when to come again; another is not', async (t) => {
  const { api } = await startEmbeddedApi(t);
  await setPlan(api, 'free');
  for (let sent = 0; sent < rateOf('free'); sent += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => list(api)));
    for (const { status } of answers) t.is(status, 200);
  }
  const refused = await list(api);
  isProblem(t, refused, 'rate_limited');
  t.like(readLimit(refused), { q: rateOf('free'), r: 0 });
  const waitS = Number(refused.headers.get('Retry-After'));
  t.true(waitS >= 1 && waitS <= 60, String(waitS));
  t.is((await list(api, api.stranger.secret)).status, 404);
});

test('every answer of the API tells a limit, refusals too; what watches the service goes free', async (t) => {
  const { api } = await startEmbeddedApi(t);
  for (const path of [`${instances}/regions`, `${instances}/inst_a`, '/api/v1/none', '/api/v1']) {
    t.like(readLimit(await api.call('get', path)), { w: 60 }, path);
  }
  t.like(readLimit(await api.own('post', instances, '{"broken')), { q: rateOf('dedicated') });
  for (const path of ['/healthz', '/readyz', '/openapi.json', '/none']) {
    const { headers } = await api.call('get', path);
    t.false(headers.has('RateLimit') || headers.has('RateLimit-Policy'), path);
  }
});

test('keys that nobody has are looked up 60 times a minute from one address', async (t) => {
  const { api } = await startEmbeddedApi(t);
  t.is((await list(api)).status, 200);
  for (let tries = 0; tries < 60; tries += 1) {
    t.is((await list(api, createAccountSecret().secret)).status, 401);
  }
  const refused = await list(api, createAccountSecret().secret);
  isProblem(t, refused, 'rate_limited');
  t.true(Number(refused.headers.get('Retry-After')) <= 60);
  // Who was known of late is not held up by others behind the same address.
  t.is((await list(api)).status, 200);
  isProblem(t, await list(api, api.stranger.secret), 'rate_limited');
});

test('what is no key at all is refused as that, however often', async (t) => {
  const api = await startApi(t, await openTestDatabase(t));
  for (let tries = 0; tries < 70; tries += 1) {
    t.is((await list(api, 'Bearer sk_live_nothing')).status, 401);
    t.is((await api.call('get', `${instances}/inst_a`)).status, 401);
  }
});
