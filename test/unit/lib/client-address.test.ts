import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import Koa from 'koa';
import { clientAddressOf } from '../../../src/lib/client-address.ts';

const headers = [
  undefined,
  '',
  ' ',
  ',',
  '203.0.113.9',
  ' 203.0.113.9 ',
  '198.51.100.1, 203.0.113.9',
  '192.0.2.1,198.51.100.1,203.0.113.9',
  '192.0.2.1,,203.0.113.9',
  '192.0.2.1, 203.0.113.9,',
  '::ffff:203.0.113.9, 2001:db8::1',
  'not an address',
];

for (const proxyHops of [0, 1, 2, 3]) {
  test(`the address behind ${proxyHops} proxies is what the control API takes for it`, async (t) => {
    const koa = new Koa({ proxy: proxyHops > 0, maxIpsCount: proxyHops });
    let asKoa = '';
    koa.use((context) => {
      asKoa = context.ip;
      context.body = 'x';
    });
    const callback = koa.callback();
    let own = '';
    const server = createServer((request: IncomingMessage, response) => {
      own = clientAddressOf(request, proxyHops);
      void callback(request, response);
    }).listen(0, '127.0.0.1');
    t.teardown(() => server.close());
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    for (const forwarded of headers) {
      const sent = forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded };
      await (await fetch(url, { headers: sent })).text();
      t.is(own, asKoa, `${forwarded}`);
      t.truthy(own);
    }
  });
}
