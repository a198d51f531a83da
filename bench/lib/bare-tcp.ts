/**
 * A bare Node forwarder: takes each connection on to the port of its argument and looks at nothing. It
 * says its own port to its parent and ends when that lets go of it.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

const target = Number(process.argv[2]);

const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  join(client, upstream);
  join(upstream, client);
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit(0));

function join(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on('error', () => {}).once('close', () => to.destroy());
}
