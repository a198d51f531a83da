/**
 * Where the files of a private set-up's TLS are: `tls/` in the data directory.
 *
 *   ca.crt     what clients trust
 *   ca.key     signs; nobody but its owner reads it
 *   redis.crt  the door's certificate
 *   redis.key  its key
 */
import { join } from 'node:path';
import type { Config } from './config.ts';

export const privateTlsFiles = ['ca.crt', 'ca.key', 'redis.crt', 'redis.key'] as const;

export function locatePrivateTls({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'tls');
}
