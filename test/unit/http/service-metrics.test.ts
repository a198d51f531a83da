/** GET /metrics: for whoever has the operator's token. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createApp } from '../../../src/app.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { listHistogram, writeExposition } from '../../../src/metrics/exposition.ts';
import { testConfig } from '../../support/test-config.ts';

const token = 'a-token-of-thirty-two-characters-or-more';

async function serve(t: ExecutionContext, environment: Record<string, string>): Promise<string> {
  const services = {
    config: testConfig(environment),
    logger: createLogger('silent'),
    checkReady: async () => {},
  };
  const app = createApp(services, { readMetrics: async () => 'up 1\n' });
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('metrics are for whoever has the token', async (t) => {
  const url = await serve(t, { SWIFTCACHE_METRICS_TOKEN: token });
  const ask = (authorization?: string): Promise<Response> =>
    fetch(`${url}/metrics`, authorization ? { headers: { authorization } } : {});
  const told = await ask(`Bearer ${token}`);
  t.is(told.status, 200);
  t.is(told.headers.get('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.is(await told.text(), 'up 1\n');
  for (const wrong of [undefined, token, 'Bearer ', `Bearer ${token}x`, `Basic ${token}`]) {
    t.is((await ask(wrong)).status, 401, wrong);
  }
  const { status } = await fetch(`${url}/metrics`, { method: 'POST' });
  t.is(status, 404);
});

test('without a token there are no metrics', async (t) => {
  const url = await serve(t, {});
  for (const authorization of ['Bearer ', 'Bearer undefined', `Bearer ${token}`]) {
    t.is((await fetch(`${url}/metrics`, { headers: { authorization } })).status, 404);
  }
});

test('a short token is refused at the start', (t) => {
  t.throws(() => testConfig({ SWIFTCACHE_METRICS_TOKEN: 'short' }), {
    message: /SWIFTCACHE_METRICS_TOKEN: needs 32 characters/,
  });
});

test('the text is what Prometheus reads', (t) => {
  const text = writeExposition([
    { name: 'a_total', help: 'What it is.', type: 'counter', samples: [{ value: 2 }] },
    {
      name: 'b_seconds',
      help: 'Times.',
      type: 'histogram',
      samples: listHistogram({ way: 'a"b\\c\nd' }, [0.1, 1], { counts: [1, 2, 4], sum: 9.5 }),
    },
  ]);
  const labels = String.raw`way="a\"b\\c\nd"`;
  t.is(
    text,
    `# HELP a_total What it is.
# TYPE a_total counter
a_total 2
# HELP b_seconds Times.
# TYPE b_seconds histogram
b_seconds_bucket{${labels},le="0.1"} 1
b_seconds_bucket{${labels},le="1"} 3
b_seconds_bucket{${labels},le="+Inf"} 7
b_seconds_sum{${labels}} 9.5
b_seconds_count{${labels}} 7
`,
  );
});
