/**
 * Runs resource code of infra/ against Pulumi's mocks and keeps what it declares, so that tests judge the
 * very properties that would reach Docker.
 */
import { createHash } from 'node:crypto';
import * as pulumi from '@pulumi/pulumi';
import type { InstanceSpec } from '../../infra/stack-config.ts';

export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

export const mockPassword = 'c0ffee'.repeat(10);
export const mockPasswordHash = createHash('sha256').update(mockPassword).digest('hex');

export const someSpec: InstanceSpec = {
  instanceId: 'inst_abcdefghijklmnop',
  installationId: 'swc_abcdefghijklmnop',
  region: 'eu-central',
  image: `sha256:${'a'.repeat(64)}`,
  network: 'swiftcache-eu-central-a',
  port: 20_000,
  maxMemoryBytes: 512 * 1024 * 1024,
  evictionPolicy: 'allkeys-lru',
  persistence: false,
  running: true,
};

let declared: Declared[] = [];
await pulumi.runtime.setMocks(
  {
    newResource({ type, name, inputs, id }) {
      const state = { ...inputs, ...(type.endsWith(':InstancePassword') && passwordOutputs) };
      declared.push({ type, name, inputs });
      return { id: id || `${name}-id`, state };
    },
    call: ({ inputs }) => inputs,
  },
  'swiftcache',
  'inst_test',
);

const passwordOutputs = { value: mockPassword, sha256: mockPasswordHash };
// After the mocks: a resource class asks for the engine as soon as it is loaded.
const { RedisInstance } = await import('../../infra/redis-instance.ts');

/** What the stack of an instance declares. Runs are one after another: the mocks are the process's. */
export async function declareInstance(changes: Partial<InstanceSpec> = {}): Promise<Declared[]> {
  declared = [];
  const instance = new RedisInstance('redis', { ...someSpec, ...changes });
  await settled(instance.port);
  return declared;
}

function settled(output: pulumi.Output<unknown>): Promise<void> {
  return new Promise((resolve) => {
    output.apply(() => resolve());
  });
}

export const containerType = 'docker:index/container:Container';

/** The inputs of the one declared resource of a type. */
export function inputsOf(resources: readonly Declared[], type: string): Record<string, unknown> {
  const found = resources.filter((resource) => resource.type === type);
  if (found.length !== 1) throw new Error(`${found.length} resources of type ${type}`);
  return found[0]?.inputs ?? {};
}
