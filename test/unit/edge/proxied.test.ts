import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { instanceHostname } from '../../../src/instances/host-names.ts';
import { DataKeyEntity } from '../../../src/store/entities/data-key.ts';
import { testDomain } from '../../support/certificates.ts';
import { binaryHeader, headerOf } from './proxy-headers.ts';
import { openTlsDoor } from './tls-door.ts';

const believed = { proxiesFrom: ['127.0.0.0/8'] };
const noAuth = '-NOAUTH Authentication required.';

test("behind a believed balancer a key's list of addresses is held against the client's own", async (t) => {
  const { orm, plain, keyId, secret, readLog } = await openTlsDoor(t, { entrance: believed });
  const changes = { ipWhitelist: ['192.0.2.0/24', '2001:db8::/32'] };
  await orm.em.fork().nativeUpdate(DataKeyEntity, { id: keyId }, changes);
  const refused = 'NOPERM this key may not be used from the address';
  const tries: readonly [string | Buffer, string][] = [
    [headerOf('192.0.2.7', 5000), '+OK'],
    ['PROXY TCP4 192.0.2.7 127.0.0.1 5000 6379\r\n', '+OK'],
    ['PROXY TCP6 2001:db8::9 ::1 5000 6379\r\n', '+OK'],
    ['PROXY TCP6 ::ffff:192.0.2.7 ::1 5000 6379\r\n', '+OK'],
    [headerOf('198.51.100.9', 5000), `-${refused} 198.51.100.9`],
    ['PROXY UNKNOWN\r\n', `-${refused} 127.0.0.1`],
    [binaryHeader(0x20, 0x11, [192, 0, 2, 7, 1, 1, 1, 1, 0, 1, 0, 2]), `-${refused} 127.0.0.1`],
  ];
  for (const [header, answer] of tries) {
    const { send, readLine } = await plain();
    send(header);
    send(`AUTH ${secret}\r\n`);
    t.is(await readLine(), answer, header.toString('latin1'));
  }
  t.regex(readLog(), /192\.0\.2\.7:5000/);
});

test('a header may come in pieces, and the command right behind it', async (t) => {
  const { plain, secret } = await openTlsDoor(t, { entrance: believed });
  for (const header of [headerOf('192.0.2.7', 1), Buffer.from('PROXY UNKNOWN\r\n')]) {
    const { send, readLine } = await plain();
    for (const byte of header.subarray(0, -1)) {
      send(Buffer.from([byte]));
      await sleep(1);
    }
    send(Buffer.concat([header.subarray(-1), Buffer.from(`AUTH ${secret}\r\nhello\r\n`)]));
    t.is(await readLine(), '+OK');
    t.is(await readLine(), 'hello');
  }
});

test('TLS follows the header on both ports, with the server name of the client', async (t) => {
  const { secure, port, tlsPort, instanceId, secret, certificate } = await openTlsDoor(t, {
    entrance: believed,
  });
  const ca = readFileSync(certificate.caFile);
  for (const number of [port, tlsPort]) {
    const raw = connect({ host: '127.0.0.1', port: number });
    raw.write(headerOf('192.0.2.7', 5000));
    const servername = instanceHostname(instanceId, testDomain);
    const { send, readLine } = await secure(number, { socket: raw, servername, ca });
    send(`AUTH ${secret}\r\n`);
    t.is(await readLine(), '+OK');
  }
});

test('a believed balancer without a header is cut, with TLS and without', async (t) => {
  const { plain, secure, port, tlsPort, readLog } = await openTlsDoor(t, { entrance: believed });
  const { send, readToEnd } = await plain();
  send('PING\r\n');
  t.is(await readToEnd(), '');
  await t.throwsAsync(secure(port));
  await t.throwsAsync(secure(tlsPort));
  t.regex(readLog(), /no PROXY protocol header from a balancer/);
});

test('a malformed header is cut, and so is one that does not end in time', async (t) => {
  const limits = { authenticationTimeoutMs: 1_000 };
  const { plain } = await openTlsDoor(t, { entrance: believed, limits });
  for (const word of ['PROXY TCP4 1.2.3.4\r\n', 'PROXY TCP4 192.0.2.1 ']) {
    const { send, readToEnd } = await plain();
    send(word);
    t.is(await readToEnd(), '');
  }
});

test('a balancer may look whether the door lives, and leave', async (t) => {
  const { plain } = await openTlsDoor(t, { entrance: believed });
  for (const header of [binaryHeader(0x20, 0, []), Buffer.alloc(0)]) {
    const { send, readToEnd, socket } = await plain();
    send(header);
    socket.end();
    t.is(await readToEnd(), '');
  }
});

test('a header from anybody else is refused, never believed', async (t) => {
  for (const proxiesFrom of [[], ['192.0.2.0/24']]) {
    const { plain, tlsPort, port } = await openTlsDoor(t, { entrance: { proxiesFrom } });
    for (const header of ['PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', headerOf('192.0.2.1', 1)]) {
      for (const number of [port, tlsPort]) {
        const { send, readToEnd } = await plain(number);
        send(header);
        const told = '-ERR PROXY protocol headers are not taken from this address\r\n';
        t.is(await readToEnd(), told);
      }
    }
    const { send, readLine } = await plain();
    send('PING\r\n');
    t.is(await readLine(), noAuth);
  }
});
