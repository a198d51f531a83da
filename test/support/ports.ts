/** The ports of the use cases for tests of the API in one process: nothing behind them runs. */
import { containerMemoryMib } from '../../infra/sizing.ts';
import type { HttpServices } from '../../src/http/route.ts';
import { createTestVault } from './vault.ts';

type Ports = Pick<
  HttpServices,
  'capacity' | 'runtime' | 'access' | 'previewer' | 'metrics' | 'vault' | 'backupRunner'
>;

/** A host with room for everything, an empty Redis, access that is in force at once. */
export function testPorts(): Ports {
  return {
    capacity: { containerMib: containerMemoryMib, regionMib: async () => 100_000_000 },
    runtime: { readUsedMemory: async () => 0 },
    access: { enforce: async () => {}, forgetKey: () => {} },
    previewer: { preview: async () => [] },
    metrics: { refresh: async () => {} },
    vault: createTestVault(),
    backupRunner: { wake() {} },
  };
}
