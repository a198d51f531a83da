/** What becomes of a restore whose operation failed: whether it is over, and what its instance is then. */
import type { Instance } from '../store/entities/instance.ts';
import { dataIsLost } from './drift.ts';
import { hasBegunRestore, wantsRestore } from './restore-state.ts';
import { staysAsItIs } from './states.ts';

const refusals: readonly string[] = [
  'backup_unusable',
  'backup_invalid',
  'backup_store_unreachable',
];

/** Whether a backup was refused while its instance, which has run before, is still as it was. */
export function isRefusedRestore(instance: Instance, code: string): boolean {
  return isUntouched(instance) && refusals.includes(code);
}

/**
 * Whether the wish for a restore ends with the wish that failed: where its backup was refused, and where
 * the instance went on meanwhile, which must not be given old data by whatever is wanted of it next.
 */
export function isRestoreOver(instance: Instance, code: string): boolean {
  return isUntouched(instance) && (refusals.includes(code) || staysAsItIs(instance.status));
}

function isUntouched(instance: Instance): boolean {
  return instance.appliedGeneration > 0 && wantsRestore(instance) && !hasBegunRestore(instance);
}

/** An instance that goes on as it was, without the restore. */
export function withoutRestore(
  instance: Instance,
): Pick<Instance, 'status' | 'restoreBackupId' | 'restoreGeneration'> {
  const otherwise = dataIsLost(instance) ? 'DEGRADED' : 'RUNNING';
  const status = staysAsItIs(instance.status) ? instance.status : otherwise;
  return { status, restoreBackupId: null, restoreGeneration: 0 };
}
