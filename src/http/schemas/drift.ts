/** Drift, as the control API takes and gives it: the policy, the notes, and what a retry accepts. */
import { z } from 'zod';
import { type DriftKind, driftKinds, driftPolicies } from '../../instances/drift.ts';
import { timestamp } from './common.ts';

export const driftPolicy = z.enum(driftPolicies).meta({
  description: 'What is done about changes made past the service: mend them, or only say so.',
});

export const driftNoteSchema = z
  .object({
    kind: z.enum(Object.keys(driftKinds) as DriftKind[]).meta({ example: 'container_stopped' }),
    detail: z.string().meta({ example: 'Its container does not run; it is exited.' }),
    since: timestamp,
  })
  .meta({ id: 'DriftNote' });

/** What a retry takes. */
export const retrySchema = z
  .strictObject({
    acceptDataLoss: z.boolean().default(false).meta({
      description: 'Where its data volume is lost: go on with an empty one.',
    }),
  })
  .meta({ id: 'RetryRequest', example: { acceptDataLoss: false } });
