import { systemCaller } from '../../../src/accounts/caller.ts';
import { deleteInstance } from '../../../src/instances/delete-instance.ts';
import { type Claim, claimNext } from '../../../src/provisioning/leases.ts';
import { beginOperation } from '../../../src/provisioning/operation-record.ts';
import type { Orm } from '../../../src/store/database.ts';
import type { Instance } from '../../../src/store/entities/instance.ts';
import type { Operation, OperationKind } from '../../../src/store/entities/operation.ts';
import { createTestClock } from '../../support/clock.ts';
import { addInstance, addOperation, readInstance } from '../../support/rows.ts';

/** Why a wish is given up. */
export const cause = { code: 'port_in_use', message: 'taken', transient: false } as const;

/** Settings, and how a row says that they were last made real. */
export const settings = {
  maxMemoryBytes: 512,
  evictionPolicy: 'volatile-lru',
  persistence: false,
  image: 'sha256:of-before',
};
export const applied = {
  appliedMaxMemoryBytes: 512,
  appliedEvictionPolicy: 'volatile-lru',
  appliedPersistence: false,
  appliedImage: 'sha256:of-before',
};

/** An instance with its operation, claimed and begun: what the reconciler has in hand. */
export async function begin(orm: Orm, changes: Partial<Instance> = {}, kind?: OperationKind) {
  const clock = createTestClock();
  const services = { orm, clock };
  const row = await addInstance(orm, { nodePort: 20_000, ...changes });
  await addOperation(orm, row, {
    kind: kind ?? (row.desired === 'absent' ? 'delete' : 'create'),
  });
  const claim = await claimNext({ ...services, owner: 'me' });
  if (!claim) throw new Error('nothing was claimed');
  const instance = await readInstance(orm, row.id);
  const operation = await beginOperation(services, instance);
  if (!operation) throw new Error('there is no operation');
  return { services, claim, instance, operation };
}

export type Begun = Awaited<ReturnType<typeof begin>>;

/** Somebody else takes the instance over, as after an expired lease. */
export async function takeOver({ services, claim }: Begun): Promise<Claim> {
  services.clock.advance(10 * 60_000);
  const taken = await claimNext({ ...services, owner: 'other' });
  if (taken?.instanceId !== claim.instanceId) throw new Error('it was not taken over');
  return taken;
}

/** The owner deletes the instance, as the API does it. */
export async function deleteMeanwhile({ services, instance }: Begun): Promise<Operation> {
  const { organizationId, id } = instance;
  const { operation } = await deleteInstance(
    { ...services, provisioner: { wake() {} } },
    systemCaller(organizationId),
    id,
  );
  return operation;
}

/** The test clock's time, so many seconds after its start. */
export function at(second: number): string {
  return new Date(Date.UTC(2024, 0, 15, 10, 30, second)).toISOString();
}
