/** Instances that expire: the right ones, and none that was prolonged meanwhile. */
import { expireInstances } from '../../../src/instances/expire-instances.ts';
import type { InstanceServices } from '../../../src/instances/services.ts';
import type { Orm } from '../../../src/store/database.ts';
import { createTestClock } from '../../support/clock.ts';
import { testOnEachDatabase } from '../../support/databases.ts';
import { testPorts } from '../../support/ports.ts';
import { addInstance, readInstance } from '../../support/rows.ts';
import { testConfig } from '../../support/test-config.ts';

const hourMs = 3_600_000;

function servicesOf(orm: Orm): InstanceServices {
  const clock = createTestClock();
  return { orm, clock, ...testPorts(), config: testConfig(), provisioner: { wake() {} } };
}

testOnEachDatabase(
  'what is due is deleted; what is not, has no end, or is protected, stays',
  async (t, orm) => {
    const services = servicesOf(orm);
    const now = services.clock.now().getTime();
    const add = (ms: number | null, deletionProtection = false) => {
      const expiresAt = ms === null ? null : new Date(now + ms);
      return addInstance(orm, { status: 'RUNNING', expiresAt, deletionProtection });
    };
    const due = [await add(0), await add(-hourMs)];
    const kept = [await add(1), await add(null), await add(-hourMs, true)];
    await expireInstances(services);
    for (const { id } of due) t.is((await readInstance(orm, id)).status, 'DELETING');
    for (const { id } of kept) t.is((await readInstance(orm, id)).status, 'RUNNING');
  },
);

testOnEachDatabase('whether it is due is asked once more under the lock', async (t, orm) => {
  const services = servicesOf(orm);
  const expiresAt = services.clock.now();
  const { id } = await addInstance(orm, { status: 'RUNNING', expiresAt });
  // Due at the look; at the second, as if it had been prolonged meanwhile, no more.
  const times = [expiresAt, new Date(expiresAt.getTime() - hourMs)];
  const clock = { now: () => times.shift() ?? new Date(0) };
  await expireInstances({ ...services, clock });
  t.is((await readInstance(orm, id)).status, 'RUNNING');
  await expireInstances(services);
  t.is((await readInstance(orm, id)).status, 'DELETING');
});
