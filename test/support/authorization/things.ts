/** Things of one organization that calls of the authorization table are about; new for every call. */
import type { Orm } from '../../../src/store/database.ts';
import { addAccountKey, addInvitation, addPerson, type PersonRow } from '../people.ts';
import { addBackup, addDataKey, addInstance, addOperation } from '../rows.ts';

export interface Things {
  readonly organizationId: string;
  /** A failed instance, which most routes take. */
  readonly instanceId: string;
  readonly runningInstanceId: string;
  readonly stoppedInstanceId: string;
  readonly operationId: string;
  /** AVAILABLE, of the running instance. */
  readonly backupId: string;
  readonly failedBackupId: string;
  /** A data key that is bound to nothing. */
  readonly keyId: string;
  /** A data key that is bound to the running instance. */
  readonly boundKeyId: string;
  /** A developer of the organization, who can log in. */
  readonly member: PersonRow;
  /** Open, for whoever has its secret. */
  readonly invitation: { readonly id: string; readonly secret: string };
  /** An account key with the role viewer. */
  readonly accountKeyId: string;
}

export async function addThings(orm: Orm, organizationId: string): Promise<Things> {
  const failed = await addInstance(orm, { organizationId, status: 'FAILED' });
  const running = await addInstance(orm, {
    organizationId,
    status: 'RUNNING',
    appliedGeneration: 1,
    // Not the one that the service offers today, so that it can be upgraded.
    image: `sha256:${'b'.repeat(64)}`,
  });
  const stopped = await addInstance(orm, {
    organizationId,
    status: 'STOPPED',
    power: 'off',
    appliedGeneration: 1,
  });
  const { id: operationId } = await addOperation(orm, failed, { status: 'FAILED' });
  const { id: backupId } = await addBackup(orm, running, { status: 'AVAILABLE' });
  const { id: failedBackupId } = await addBackup(orm, running, { status: 'FAILED' });
  const { id: keyId } = await addDataKey(orm, organizationId);
  const { id: boundKeyId } = await addDataKey(orm, organizationId, {}, [running.id]);
  const member = await addPerson(orm, { [organizationId]: 'developer' });
  const invitation = await addInvitation(orm, organizationId);
  const { id: accountKeyId } = await addAccountKey(orm, { organizationId });
  return {
    organizationId,
    instanceId: failed.id,
    runningInstanceId: running.id,
    stoppedInstanceId: stopped.id,
    operationId,
    backupId,
    failedBackupId,
    keyId,
    boundKeyId,
    member,
    invitation,
    accountKeyId,
  };
}
