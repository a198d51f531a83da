/**
 * The yardstick of bench/gateway.ts, in a process of its own: node:http that reads each request's body and
 * sends fixed bytes. Each message over the fork's channel is what to send from then on; each is answered
 * with the address.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

let body = '';
let headers = {};
const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => {
    response.writeHead(200, headers);
    response.end(body);
  });
});
server.listen(0, '127.0.0.1');

process.on('message', (message: string) => {
  body = message;
  headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const { port } = server.address() as AddressInfo;
  process.send?.(`http://127.0.0.1:${port}/`);
});
process.on('disconnect', () => process.exit(0));
