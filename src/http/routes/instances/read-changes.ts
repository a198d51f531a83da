import type { z } from 'zod';
import type { InstanceChanges } from '../../../instances/update-instance.ts';
import { toDate } from '../../../lib/end-time.ts';
import type { instanceChangesSchema } from '../../schemas/instances.ts';

/** The body of a PATCH or preview as the use cases take it. */
export function readChanges({
  expiresAt,
  ...changes
}: z.output<typeof instanceChangesSchema>): InstanceChanges {
  if (expiresAt === undefined) return changes;
  return { ...changes, expiresAt: toDate(expiresAt) };
}
