/**
 * The service as it is with the gateway alone: its HTTP front over the embedded database of
 * SWIFTCACHE_DATA_DIR, with authentication, limits and metrics. In a process of its own, so that its CPU
 * time and memory are its own; it sends its address to its parent and ends when that lets go of it.
 */
import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { startService } from '../../src/service.ts';

// The configuration asks for all roles over an embedded database, which has but one process: here the
// others are left out, because they would look after instances that are rows and nothing more.
const config = { ...loadConfig(), roles: new Set(['gateway'] as const) };
const service = await startService(config, createLogger(config.logLevel));
process.once('disconnect', () => {
  void service.stop().finally(() => process.exit(0));
});
process.send?.(service.url);
