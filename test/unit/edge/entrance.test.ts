import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { instanceHostname } from '../../../src/instances/host-names.ts';
import { pollUntil } from '../../../src/lib/retry.ts';
import { testDomain } from '../../support/certificates.ts';
import { addInstance, addKey, encode, openDoorWithInstance, startStandIn } from './door.ts';
import { openSecure, openTlsDoor } from './tls-door.ts';

const wrongPass = '-WRONGPASS invalid username-password pair or user is disabled.';
const quickly = { timeoutMs: 5_000, intervalMs: 5 };

test('with and without TLS, one port serves both, in any order', async (t) => {
  const { plain, secure, port, secret } = await openTlsDoor(t);
  for (const open of [plain, () => secure(port), plain, () => secure(port)]) {
    const { send, readLine } = await open();
    send(`AUTH ${secret}\r\nhello\r\n`);
    t.is(await readLine(), '+OK');
    t.is(await readLine(), 'hello');
  }
});

test('one client after another may say nothing for a while and then either', async (t) => {
  const { plain, secure, port, secret } = await openTlsDoor(t);
  const silent = await plain();
  const other = await secure(port);
  other.send(`AUTH ${secret}\r\n`);
  t.is(await other.readLine(), '+OK');
  silent.send(`AUTH ${secret}\r\n`);
  t.is(await silent.readLine(), '+OK');
});

test('a megabyte goes through TLS both ways as it was', async (t) => {
  const { secure, tlsPort, secret } = await openTlsDoor(t);
  const { send, readLine, read } = await secure(tlsPort);
  const bytes = encode('SET', 'k', Buffer.alloc(1_000_003, 'abcdefghijk'));
  send(`AUTH ${secret}\r\n`);
  send(bytes);
  t.is(await readLine(), '+OK');
  t.true((await read(bytes.length)) === bytes.toString());
});

test('a client hello that comes in pieces is read as one', async (t) => {
  const { secure, port } = await openTlsDoor(t);
  const raw = connectPlain({ port, host: '127.0.0.1', noDelay: true });
  t.teardown(() => raw.destroy());
  const pieces = new Duplex({
    read() {},
    async write(chunk: Buffer, _encoding, done) {
      for (const cut of [chunk.subarray(0, 1), chunk.subarray(1, 3), chunk.subarray(3)]) {
        raw.write(cut);
        await sleep(10);
      }
      done();
    },
  });
  raw.on('data', (chunk) => pieces.push(chunk)).on('close', () => pieces.destroy());
  const { send, readLine } = await secure(port, { socket: pieces });
  send('PING\r\n');
  t.is(await readLine(), '-NOAUTH Authentication required.');
});

test('a client without TLS on the port of TLS is told to use rediss://, and closed', async (t) => {
  const { plain, tlsPort } = await openTlsDoor(t);
  for (const word of ['PING\r\n', '*1\r\n$4\r\nPING\r\n', 'GET / HTTP/1.1\r\n\r\n']) {
    const { send, readToEnd } = await plain(tlsPort);
    send(word);
    const told = '-ERR this port takes TLS only: connect with rediss:// (redis-cli: --tls)\r\n';
    t.is(await readToEnd(), told);
  }
});

test('a door that takes TLS alone says the same on the port that else is for both', async (t) => {
  const { plain, secure, port } = await openTlsDoor(t, { entrance: { takesPlain: false } });
  const { send, readToEnd } = await plain(port);
  send('PING\r\n');
  t.regex(await readToEnd(), /^-ERR this port takes TLS only: connect with rediss:/);
  const safe = await secure(port);
  safe.send('PING\r\n');
  t.is(await safe.readLine(), '-NOAUTH Authentication required.');
});

test('a client with TLS at a door without a certificate gets an alert that it can show', async (t) => {
  const { port, readLog } = await openDoorWithInstance(t);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const failed = openSecure(t, { port, rejectUnauthorized: false, maxVersion });
    const { code } = await t.throwsAsync<NodeJS.ErrnoException>(failed);
    t.regex(code ?? '', /^ERR_SSL_(SSL\/TLS|SSLV3|TLSV1)_ALERT_HANDSHAKE_FAILURE$/);
  }
  t.regex(readLog(), /TLS on a port without/);
});

test('TLS older than 1.2 is refused', async (t) => {
  const { secure, tlsPort } = await openTlsDoor(t);
  const options = {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL@SECLEVEL=0',
  } as const;
  const { code } = await t.throwsAsync<NodeJS.ErrnoException>(secure(tlsPort, options));
  t.regex(code ?? '', /ALERT_PROTOCOL_VERSION/);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { socket } = await secure(tlsPort, { minVersion: version, maxVersion: version });
    t.is(socket.getProtocol(), version);
  }
});

test('the TLS server name says which instance is meant, whatever its case and spelling', async (t) => {
  const { orm, secure, tlsPort, instanceId, standIn, port } = await openTlsDoor(t);
  const second = await startStandIn(t, { answer: '+second\r\n' });
  const secondId = await addInstance(orm, { port: second.port });
  const { secret } = await addKey(orm, [instanceId, secondId]);
  const names = [
    instanceHostname(secondId, testDomain),
    instanceHostname(secondId, testDomain).toUpperCase(),
    `${secondId}.redis.${testDomain}`,
  ];
  for (const servername of names) {
    for (const number of [port, tlsPort]) {
      // Node shows the name as it is; a certificate's wildcard stands for none with an underscore.
      const { send, readLine } = await secure(number, { servername, rejectUnauthorized: false });
      send(`AUTH ${secret}\r\n`);
      t.is(await readLine(), '+second', servername);
    }
  }
  t.is(standIn.signIns.length, 0);
});

test('any other server name, or none, is let in and names no instance', async (t) => {
  const { secure, tlsPort, secret } = await openTlsDoor(t);
  for (const servername of ['localhost', 'elsewhere.example.com', `redis.${testDomain}`, '']) {
    const { send, readLine } = await secure(tlsPort, { servername, rejectUnauthorized: false });
    send(`AUTH ${secret}\r\n`);
    t.is(await readLine(), '+OK', servername);
  }
});

test('a key is refused at the name of an instance that it does not open, and by two names at once', async (t) => {
  const { orm, secure, tlsPort, secret, instanceId } = await openTlsDoor(t);
  const other = await addInstance(orm, { port: 7001 });
  const named = await secure(tlsPort, { servername: instanceHostname(other, testDomain) });
  named.send(`AUTH ${secret}\r\nAUTH ${instanceId} ${secret}\r\nAUTH ${other} ${secret}\r\n`);
  for (let tries = 0; tries < 3; tries += 1) t.is(await named.readLine(), wrongPass);
});

test('a handshake that does not go on is cut in time and its place is free again', async (t) => {
  const limits = { handshakeTimeoutMs: 2_000, handshakesMax: 1 };
  const { plain, secure, tlsPort, secret, readLog } = await openTlsDoor(t, { limits });
  const stuck = await plain(tlsPort);
  stuck.send(Buffer.from([0x16, 0x03, 0x01]));
  const { send, readLine } = await secure(tlsPort);
  send(`AUTH ${secret}\r\n`);
  t.is(await readLine(), '+OK');
  t.is(await stuck.readToEnd(), '');
  t.regex(readLog(), /TLS handshake failed/);
});

test('more handshakes than allowed at once wait their turn, and each is done', async (t) => {
  const { secure, tlsPort } = await openTlsDoor(t, { limits: { handshakesMax: 2 } });
  const clients = await Promise.all(Array.from({ length: 20 }, () => secure(tlsPort)));
  for (const { send } of clients) send('PING\r\n');
  for (const { readLine } of clients) t.is(await readLine(), '-NOAUTH Authentication required.');
});

test('one that leaves while it waits for its handshake takes nobody else along', async (t) => {
  const limits = { handshakeTimeoutMs: 2_000, handshakesMax: 1 };
  const { plain, secure, tlsPort } = await openTlsDoor(t, { limits });
  const [stuck, leaving] = [await plain(tlsPort), await plain(tlsPort)];
  stuck.send(Buffer.from([0x16]));
  await sleep(50);
  leaving.send(Buffer.from([0x16]));
  await sleep(50);
  leaving.socket.resetAndDestroy();
  const { send, readLine } = await secure(tlsPort);
  send('PING\r\n');
  t.is(await readLine(), '-NOAUTH Authentication required.');
});

test('who has not said a byte counts as a connection and is cut in time', async (t) => {
  const limits = { connectionsMax: 2, authenticationTimeoutMs: 3_000 };
  const { plain, tlsPort, readLog } = await openTlsDoor(t, { limits });
  const silent = [await plain(), await plain(tlsPort)];
  t.is(await (await plain()).readToEnd(), '-ERR max number of clients reached\r\n');
  t.is(await (await plain(tlsPort)).readToEnd(), '');
  for (const { readToEnd } of silent) t.is(await readToEnd(), '');
  t.regex(readLog(), /no authentication in time/);
});

test('a dropped key ends its connections over TLS, too', async (t) => {
  const { edge, keyId, secure, tlsPort, secret } = await openTlsDoor(t);
  const { send, readLine, readToEnd } = await secure(tlsPort);
  send(`AUTH ${secret}\r\n`);
  t.is(await readLine(), '+OK');
  edge.dropKey(keyId);
  t.is(await readToEnd(), '');
});

test('close() ends clients of every kind, those that have only begun included', async (t) => {
  const { edge, plain, secure, port, tlsPort, standIn, secret } = await openTlsDoor(t);
  const clients = [await plain(), await plain(tlsPort), await secure(port), await secure(tlsPort)];
  const signedIn = await secure(tlsPort);
  signedIn.send(`AUTH ${secret}\r\nlast words\r\n`);
  t.is(await signedIn.readLine(), '+OK');
  t.is(await signedIn.readLine(), 'last words');
  await edge.close();
  for (const { readToEnd } of [...clients, signedIn]) t.is(await readToEnd(), '');
  await pollUntil(async () => standIn.sockets.size === 0 || undefined, quickly);
  const late = connectPlain({ port: tlsPort, host: '127.0.0.1' });
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNREFUSED');
});
