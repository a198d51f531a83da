import { createHash, randomBytes } from 'node:crypto';
import type { ResourceHandler } from './resource-handler.ts';
import { markSecret } from './secrets.ts';

/** Makes a password once, or keeps the one that is given; there is nothing to update. */
export const instancePassword: ResourceHandler = {
  async create(inputs) {
    const { value: given } = inputs as { value?: string };
    const value = given ?? randomBytes(32).toString('hex');
    const sha256 = createHash('sha256').update(value).digest('hex');
    return { id: sha256.slice(0, 16), outs: { value: markSecret(value), sha256 } };
  },
  async update() {
    throw new Error('an InstancePassword never changes');
  },
  changedInputs: () => [],
};
