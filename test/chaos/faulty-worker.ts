/** The provisioning worker with faults put in; the product's own but for the hooks. */
import { dirname } from 'node:path';
import type { ToWorker } from '../../src/provisioning/messages.ts';
import { runWorker } from '../../src/provisioning/run-worker.ts';
import { createFaultHooks } from './fault-hooks.ts';

let dataDir = '';
process.on('message', (message: ToWorker) => {
  if (message.type === 'settings') dataDir = dirname(message.settings.projectDir);
});
runWorker({ hooks: createFaultHooks({ role: 'worker', dataDir: () => dataDir }) });
