import test from 'ava';
import { addInstance, type Harness, startHarness } from './harness.ts';

// Nothing here reaches a Redis: the recorded port is closed.

const page = 'https://app.example.com';

async function preflight(
  { baseUrl }: Harness,
  origin: string,
  headers = 'authorization, content-type, upstash-sync-token, x-other',
): Promise<Response> {
  return await fetch(`${baseUrl}/redis/inst_x/pipeline`, {
    method: 'OPTIONS',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': headers,
    },
  });
}

test('no page of another site may call unless it is configured', async (t) => {
  const harness = await startHarness(t);
  const answer = await preflight(harness, page);
  t.is(answer.status, 405);
  t.is(answer.headers.get('access-control-allow-origin'), null);
  const { instanceId } = await addInstance(harness);
  const get = await fetch(`${harness.baseUrl}/redis/${instanceId}/get/k`, {
    headers: { Origin: page },
  });
  t.is(get.headers.get('access-control-allow-origin'), null);
});

test('a configured page may send what clients send, and read what they read', async (t) => {
  const harness = await startHarness(t, {}, { corsOrigins: ['https://other.example.com', page] });
  const answer = await preflight(harness, page);
  t.is(answer.status, 204);
  const { headers } = answer;
  t.is(headers.get('access-control-allow-origin'), page);
  t.is(
    headers.get('access-control-allow-headers'),
    'authorization, content-type, upstash-sync-token',
  );
  t.is(headers.get('access-control-allow-methods'), 'GET, HEAD, POST, PUT');
  t.is(headers.get('access-control-max-age'), '7200');
  t.is(headers.get('vary'), 'Origin, Access-Control-Request-Headers');
  t.is(headers.get('access-control-allow-credentials'), null);
  t.truthy(headers.get('x-request-id'));
  const { instanceId } = await addInstance(harness);
  // An error is to be read, too.
  const refused = await fetch(`${harness.baseUrl}/redis/${instanceId}/get/k`, {
    headers: { Origin: page },
  });
  t.is(refused.status, 401);
  t.is(refused.headers.get('access-control-allow-origin'), page);
  t.regex(refused.headers.get('access-control-expose-headers') ?? '', /Upstash-Sync-Token/);
  t.is(refused.headers.get('vary'), 'Origin');
});

test('a page that is not configured is told nothing, and no cache mixes the two up', async (t) => {
  const harness = await startHarness(t, {}, { corsOrigins: [page] });
  for (const origin of ['https://evil.example.com', `${page}.evil.com`, 'null', `${page}:444`]) {
    const answer = await preflight(harness, origin);
    t.is(answer.status, 405, origin);
    t.is(answer.headers.get('access-control-allow-origin'), null, origin);
    t.is(answer.headers.get('vary'), 'Origin', origin);
  }
});

test('every page may call where all are configured', async (t) => {
  const harness = await startHarness(t, {}, { corsOrigins: ['*'] });
  const answer = await preflight(harness, 'https://any.example.com', '');
  t.is(answer.status, 204);
  t.is(answer.headers.get('access-control-allow-origin'), '*');
  t.is(answer.headers.get('vary'), 'Access-Control-Request-Headers');
});

test('only the gateway is open to other sites, not what stands beside it', async (t) => {
  const harness = await startHarness(t, {}, { corsOrigins: ['*'] });
  const answer = await fetch(`${harness.baseUrl}/api/v1/instances`, { headers: { Origin: page } });
  t.is(await answer.text(), 'not the gateway');
  t.is(answer.headers.get('access-control-allow-origin'), null);
});
