/** A door with a certificate, on a port for both and one for TLS alone, and clients that speak TLS to it. */
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { EdgeLimits, EntranceSettings } from '../../../src/edge/edge.ts';
import { makeCertificate, testDomain } from '../../support/certificates.ts';
import {
  addInstance,
  addKey,
  type Client,
  openClient,
  openDoor,
  startStandIn,
  toClient,
} from './door.ts';

interface Teardown {
  teardown(action: () => unknown): void;
}

/** A running instance (a stand-in that echoes), a key for it, and the door before it. */
export async function openTlsDoor(
  t: Teardown,
  {
    limits = {},
    entrance = {},
  }: { limits?: Partial<EdgeLimits>; entrance?: EntranceSettings } = {},
) {
  const certificate = await makeCertificate(t);
  const settings = { certificate, domain: testDomain, certificateLookMs: 20, ...entrance };
  const door = await openDoor(t, limits, settings);
  const tlsPort = await door.edge.listenTls({
    host: '127.0.0.1',
    port: { number: 0, fixed: true },
  });
  const standIn = await startStandIn(t);
  const instanceId = await addInstance(door.orm, { port: standIn.port });
  const key = await addKey(door.orm, [instanceId]);
  const ca = readFileSync(certificate.caFile);
  return {
    ...door,
    ...key,
    instanceId,
    standIn,
    certificate,
    tlsPort,
    plain: (port = door.port) => openClient(t, port),
    secure: (port: number, options: ConnectionOptions = {}) =>
      openSecure(t, { port, ca, servername: 'localhost', ...options }),
  };
}

/** Opens TLS and waits until it is up; fails with the error that a client would show. */
export async function openSecure(
  t: Teardown,
  options: ConnectionOptions,
): Promise<Client & { readonly socket: TLSSocket }> {
  const socket = connect({ host: '127.0.0.1', ...options });
  t.teardown(() => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
  });
  return { ...toClient(socket), socket };
}
