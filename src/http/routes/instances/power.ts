import { z } from 'zod';
import { changePower, type PowerChange } from '../../../instances/change-power.ts';
import { presentInstance } from '../../present/instances.ts';
import { presentOperation } from '../../present/operations.ts';
import { defineRoute, type Route } from '../../route.ts';
import { instanceParams, instanceSchema } from '../../schemas/instances.ts';
import { operationSchema } from '../../schemas/operations.ts';

const summaries: Readonly<Record<PowerChange, string>> = {
  restart: 'Restart Redis; without persistence its data is gone',
  stop: 'Stop an instance; settings and keys stay, data with persistence',
  start: 'Start a stopped instance',
};

/** The routes that change an instance's power: they differ in nothing but the wish. */
export const powerRoutes: readonly Route[] = (['restart', 'stop', 'start'] as const).map((wish) =>
  defineRoute({
    method: 'post',
    path: `/api/v1/instances/:instanceId/${wish}`,
    access: 'account',
    operationId: `${wish}Instance`,
    summary: summaries[wish],
    action: `instance.${wish}`,
    errors: ['state_conflict', 'too_many_operations'],
    params: instanceParams,
    answers: {
      202: {
        description: 'Wanted; the operation says how far it is',
        headers: ['Location'],
        schema: z.object({ instance: instanceSchema, operation: operationSchema }),
      },
    },
    async handle({ params, caller, services }) {
      const { instanceId } = params;
      const { instance, operation } = await changePower(services, caller, instanceId, wish);
      return {
        status: 202,
        headers: { Location: `/api/v1/operations/${operation.id}` },
        body: {
          instance: presentInstance(services, instance),
          operation: presentOperation(operation),
        },
      };
    },
  }),
);
