/** Binding a key to an instance and taking it off again. */
import { z } from 'zod';
import { bindKeyToInstance, unbindKey } from '../../../keys/change-key.ts';
import { presentKeyWithInstances } from '../../present/keys.ts';
import { defineRoute } from '../../route.ts';
import { bindingParams, keyWithInstancesSchema } from '../../schemas/keys.ts';

const path = '/api/v1/instances/:instanceId/api-keys/:keyId';
const schema = z.object({ apiKey: keyWithInstancesSchema });

export const bindRoute = defineRoute({
  method: 'put',
  path,
  access: 'account',
  operationId: 'bindApiKey',
  summary: 'Bind an API key to an instance',
  action: 'key.bind',
  errors: ['state_conflict', 'too_many_keys'],
  params: bindingParams,
  answers: { 200: { description: 'Bound, and in force', schema } },
  async handle({ params, caller, services }) {
    const bound = await bindKeyToInstance(services, caller, params);
    return { status: 200, body: { apiKey: presentKeyWithInstances(bound) } };
  },
});

export const unbindRoute = defineRoute({
  method: 'delete',
  path,
  access: 'account',
  operationId: 'unbindApiKey',
  summary: 'Take an API key off an instance; its connections there end at once',
  action: 'key.unbind',
  params: bindingParams,
  answers: { 200: { description: 'Taken off, and refused there', schema } },
  async handle({ params, caller, services }) {
    const left = await unbindKey(services, caller, params);
    return { status: 200, body: { apiKey: presentKeyWithInstances(left) } };
  },
});
