/** What the door tells its operator, and that it counts it. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { addFigures, type Figures, listDoorMetrics } from '../../../src/edge/exposed-figures.ts';
import { readHandshakeFailure } from '../../../src/edge/handshake-failures.ts';
import { boundsS, createHeldTimes } from '../../../src/edge/held-times.ts';
import { watchLoopDelay } from '../../../src/edge/loop-delay.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { writeExposition } from '../../../src/metrics/exposition.ts';
import { openDoor } from './door.ts';
import { openSecure, openTlsDoor } from './tls-door.ts';

const patience = { timeoutMs: 20_000, intervalMs: 20 };

test('of the chunks the first of every sixty-one is measured, from its call to that of what it gave', async (t) => {
  const { sample, read } = createHeldTimes();
  const given = Array.from({ length: 62 }, sample);
  t.deepEqual(
    given.flatMap((onTaken, index) => (onTaken ? [index] : [])),
    [0, 61],
  );
  await sleep(30);
  given[0]?.();
  const numbers = read();
  t.is(numbers.length, boundsS.length + 2);
  t.is(numbers[boundsS.indexOf(0.025)], 0);
  t.is(
    numbers.slice(0, -1).reduce((sum, count) => sum + count),
    1,
  );
  t.true((numbers.at(-1) ?? 0) >= 0.029);
});

test.serial('a process that is held up is told of, and no more once it is not', async (t) => {
  const delay = watchLoopDelay(200);
  t.teardown(delay.stop);
  t.is(delay.readS(), 0);
  const holdUp = async (): Promise<true | undefined> => {
    const untilMs = performance.now() + 300;
    while (performance.now() < untilMs);
    return delay.readS() > 0.2 || undefined;
  };
  t.true(await pollUntil(holdUp, { ...patience, intervalMs: 50 }));
  t.true(await pollUntil(async () => delay.readS() < 0.2 || undefined, patience));
});

for (const [code, reason] of [
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'timed_out'],
  ['ECONNRESET', 'closed'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'certificate_refused'],
  ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN', 'certificate_refused'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'certificate_refused'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'protocol_version'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'no_shared_cipher'],
  ['ERR_SSL_HTTP_REQUEST', 'other'],
  [undefined, 'other'],
] as const) {
  test(`a handshake that fails with ${code} counts as ${reason}`, (t) => {
    t.is(readHandshakeFailure(code), reason);
  });
}

test('handshakes that were done, failed or not begun are counted, and the end of the certificate told', async (t) => {
  const { edge, plain, secure, tlsPort } = await openTlsDoor(t);
  await secure(tlsPort);
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
  await t.throwsAsync(secure(tlsPort, old));
  const client = await plain(tlsPort);
  client.send('PING\r\n');
  await client.readToEnd();
  const { counters, handshakeFailures, refusals, lows } = edge.readFigures();
  t.is(counters.handshakes, 1);
  t.like(handshakeFailures, { protocol_version: 1, closed: 0, other: 0 });
  t.is(refusals.tls_missing, 1);
  const leftS = lows.certificate_remaining_seconds ?? 0;
  t.true(leftS > 0 && leftS < 400 * 86_400, `${leftS} s`);
});

test('TLS at a door without a certificate is counted', async (t) => {
  const { edge, port } = await openDoor(t);
  await t.throwsAsync(openSecure(t, { port, rejectUnauthorized: false }));
  t.is(edge.readFigures().refusals.tls_not_offered, 1);
});

test('figures of several doors are added up; of gauges that cannot be, the worst counts', async (t) => {
  const { edge } = await openTlsDoor(t);
  const one = edge.readFigures();
  const figures = (number: number): Figures => ({
    ...one,
    counters: { ...one.counters, commands: number, handshakes: number },
    handshakeFailures: { ...one.handshakeFailures, closed: number },
    held: { ...one.held, requests: one.held.requests.map(() => number) },
    gauges: { connections: number },
    peaks: { event_loop_delay_seconds: number },
    lows: { certificate_remaining_seconds: number },
  });
  const text = writeExposition(listDoorMetrics(addFigures([figures(2), figures(3)])));
  const readValue = (name: string): string | undefined =>
    text
      .split('\n')
      .find((line) => line.startsWith(`swiftcache_door_${name} `))
      ?.split(' ')[1];
  t.is(readValue('commands_total'), '5');
  t.is(readValue('tls_handshakes_total'), '5');
  t.is(readValue('tls_handshake_failures_total{reason="closed"}'), '5');
  t.is(readValue('held_seconds_bucket{what="requests",le="0.00001"}'), '5');
  t.is(readValue('held_seconds_count{what="requests"}'), String(5 * (boundsS.length + 1)));
  t.is(readValue('held_seconds_sum{what="requests"}'), '5');
  t.is(readValue('held_seconds_count{what="replies"}'), '0');
  t.is(readValue('connections'), '5');
  t.is(readValue('event_loop_delay_seconds'), '3');
  t.is(readValue('certificate_remaining_seconds'), '2');
});
