/**
 * Housekeeping: what has to happen by itself as time passes.
 *
 * Every task can run twice and on several servers at once, and takes a bounded part of the work a round.
 */
import { removeExpiredSessions } from './accounts/sessions.ts';
import { dropOldBackups } from './backups/retention.ts';
import type { BackupPorts } from './backups/services.ts';
import { takeDueBackups } from './backups/take-due-backups.ts';
import { removeOldRecords } from './http/idempotency.ts';
import { expireInstances } from './instances/expire-instances.ts';
import type { InstanceServices } from './instances/services.ts';
import { removeOldRates } from './keys/rates/rate-database.ts';
import type { Logger } from './lib/logger.ts';
import { startRepeating } from './lib/repeat.ts';

const secondMs = 1_000;

export interface Housekeeping {
  stop(): Promise<void>;
}

export function startHousekeeping(
  services: InstanceServices & BackupPorts,
  logger: Logger,
): Housekeeping {
  const tasks = [
    { name: 'expire instances', intervalMs: secondMs, run: expireInstances },
    { name: 'take due backups', intervalMs: secondMs, run: takeDueBackups },
    { name: 'drop old backups', intervalMs: 30 * secondMs, run: dropOldBackups },
    { name: 'forget old rates', intervalMs: 60 * secondMs, run: removeOldRates },
    { name: 'forget repeatable requests', intervalMs: 600 * secondMs, run: removeOldRecords },
    { name: 'remove ended sessions', intervalMs: 600 * secondMs, run: removeExpiredSessions },
  ];
  const running = tasks.map(({ name, intervalMs, run }) =>
    startRepeating(() => run(services), {
      intervalMs,
      onError: (error) => logger.error({ err: error, task: name }, 'housekeeping failed'),
    }),
  );
  return {
    async stop() {
      await Promise.all(running.map((task) => task.stop()));
    },
  };
}
