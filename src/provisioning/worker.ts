/** The provisioning worker's process, as the pool forks it. */
import { runWorker } from './run-worker.ts';

runWorker();
