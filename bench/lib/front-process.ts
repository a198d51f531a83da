/**
 * The service as it is with one front alone, the gateway or the redis:// door (the argument says which):
 * over the embedded database of SWIFTCACHE_DATA_DIR, with authentication, limits and metrics. In a process
 * of its own, so that its CPU time and memory are its own; it sends its address to its parent, says after any
 * message how much is alive in its heap, and ends when that lets go of it.
 */
import { memoryUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { startService } from '../../src/service.ts';
import type { FrontAddress } from './bench-front.ts';

const role = process.argv[2] === 'edge' ? 'edge' : 'gateway';
// The configuration asks for all roles over an embedded database, which has but one process: here the
// others are left out, because they would look after instances that are rows and nothing more.
const config = { ...loadConfig(), roles: new Set([role] as const) };
const service = await startService(config, createLogger(config.logLevel));
process.once('disconnect', () => {
  void service.stop().finally(() => process.exit(0));
});
process.on('message', () => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, external } = memoryUsage();
  process.send?.(heapUsed + external);
});
const address: FrontAddress = { url: service.url, doorPort: service.door.port };
process.send?.(address);
