/** The port that puts changed keys in force: in Redis itself, in the gateway and in the door. */

import type { AccessControl } from '../instances/services.ts';
import { servingStatuses } from '../instances/states.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';
import { InstanceEntity } from '../store/entities/instance.ts';
import type { AccessSync } from './access.ts';

/** How long an answer waits for an instance; beyond it the sweep goes on. */
const enforceTimeoutMs = 2_000;

interface AccessServices {
  readonly orm: Orm;
  readonly logger: Logger;
  readonly accessSync: AccessSync;
  /** Drops what the gateway and the door hold of a key. */
  readonly dropKey: (keyId: string, instanceId?: string) => void;
}

export function createAccessControl({
  orm,
  logger,
  accessSync,
  dropKey,
}: AccessServices): AccessControl {
  /** The change is committed, so nothing that fails here may look as if it were not. */
  const warn = (error: unknown, instanceId?: string): void => {
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn({ instanceId, reason }, 'access was not put in force at once');
  };

  async function enforceAll(instanceIds: readonly string[]): Promise<void> {
    const where = {
      id: { $in: [...instanceIds] },
      // The others get their users before they become RUNNING.
      status: { $in: [...servingStatuses] },
      passwordSealed: { $ne: null },
    };
    const running = await orm.em.fork().find(InstanceEntity, where, { fields: ['id'] });
    const work = running.map(({ id }) => accessSync.sync(id).catch((error) => warn(error, id)));
    await Promise.all(work);
  }

  return {
    forgetKey: dropKey,
    async enforce(instanceIds) {
      if (instanceIds.length === 0) return;
      const enforcing = enforceAll(instanceIds).catch((error: unknown) => warn(error));
      const { promise: timeout, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, enforceTimeoutMs);
      await Promise.race([enforcing, timeout]);
      clearTimeout(timer);
    },
  };
}
