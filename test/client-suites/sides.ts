/** The two ways to a Redis that are compared: through the door, and directly. */
import { makeCertificate, testDomain } from '../support/certificates.ts';
import { openRealDoor, signUp, startInstanceRedis } from '../unit/edge/real-door.ts';

interface Teardown {
  teardown(action: () => unknown): void;
}

export interface Sides {
  /** The addresses for a client: of the door, whose key is the whole of what it needs, and of Redis. */
  readonly door: string;
  readonly direct: string;
  /** The door once more, with TLS, and the authority that its certificate is of. */
  readonly secureDoor: string;
  readonly caFile: string;
}

/** Starts a door with a Redis behind it, and another Redis, for a key that may do all that a key may. */
export async function openSides(owner: Teardown): Promise<Sides> {
  const [behind, twin] = [await startInstanceRedis(owner), await startInstanceRedis(owner)];
  const certificate = await makeCertificate(owner);
  const door = await openRealDoor(owner, behind, { certificate, domain: testDomain });
  await signUp(twin, door);
  return {
    door: `redis://:${door.secret}@localhost:${door.port}/0`,
    direct: `redis://${door.keyId}:${door.secret}@localhost:${twin.port}/0`,
    secureDoor: `rediss://:${door.secret}@localhost:${door.port}/0`,
    caFile: certificate.caFile,
  };
}
