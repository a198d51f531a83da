/** The door's settings on a whole service, and what it tells its operator of itself. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import test from 'ava';
import { makeCertificate } from '../support/certificates.ts';
import { createRunningInstance, startTestService } from '../support/service.ts';

const token = 'm'.repeat(32);

test('a door for TLS alone takes nothing else, ends who is idle, and counts both', async (t) => {
  const { certFile, keyFile, caFile } = await makeCertificate(t);
  const service = await startTestService(t, {
    SWIFTCACHE_REDIS_PLAIN: 'off',
    SWIFTCACHE_REDIS_IDLE_TIMEOUT: '1',
    SWIFTCACHE_REDIS_TLS_PORT: '0',
    SWIFTCACHE_REDIS_TLS_CERT_FILE: certFile,
    SWIFTCACHE_REDIS_TLS_KEY_FILE: keyFile,
    SWIFTCACHE_METRICS_TOKEN: token,
  });
  t.notRegex(service.output(), /redis:\/\/ door/);
  const made = await createRunningInstance(service);
  const { instance } = await service.api.call('GET', `/api/v1/instances/${made.id}`);
  const { port, tlsPort, connectionString } = instance;
  t.is(connectionString, `rediss://:[API_KEY]@127.0.0.1:${tlsPort}`);

  const plain = connectPlain(port, '127.0.0.1');
  plain.write('PING\r\n');
  t.regex(await text(plain), /^-ERR this port takes TLS only: connect with rediss:/);

  const client = connect({ port, host: '127.0.0.1', ca: readFileSync(caFile) });
  await once(client, 'secureConnect');
  client.write(`AUTH ${made.key}\r\nPING\r\n`);
  // Told only when the door has closed it.
  t.is(await text(client), '+OK\r\n+PONG\r\n');

  const response = await fetch(`${service.url}/metrics`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const metrics = await response.text();
  const read = (name: string): number => {
    const line = metrics.split('\n').find((one) => one.startsWith(`swiftcache_door_${name} `));
    return Number(line?.split(' ')[1]);
  };
  t.is(read('refusals_total{reason="tls_missing"}'), 1);
  t.is(read('refusals_total{reason="idle"}'), 1);
  t.is(read('tls_handshakes_total'), 1);
  t.is(read('held_seconds_count{what="requests"}'), 1);
  t.true(read('event_loop_delay_seconds') >= 0);
  t.true(read('certificate_remaining_seconds') > 0);
});
