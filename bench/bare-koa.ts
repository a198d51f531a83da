/**
 * The yardstick of bench/api.ts, in a process of its own: Koa with one middleware that sends fixed bytes.
 * Each message over the fork's channel is what to send from then on; each is answered with the address.
 */
import type { AddressInfo } from 'node:net';
import Koa from 'koa';

let body = '';
const app = new Koa();
app.use((context) => {
  context.type = 'application/json; charset=utf-8';
  context.body = body;
});
const server = app.listen(0, '127.0.0.1');

process.on('message', (message: string) => {
  body = message;
  const { port } = server.address() as AddressInfo;
  process.send?.(`http://127.0.0.1:${port}/`);
});
process.on('disconnect', () => process.exit(0));
