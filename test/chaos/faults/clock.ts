/** The service's clock is an hour wrong from one moment to the next, in the middle of its work. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../bench.ts';
import { type PlannedFault, planFaults } from '../plans.ts';
import { moveClock } from '../seams.ts';

const hourMs = 3_600_000;
/** A try breaks off while the clock is wrong, so that its wait is written by it. */
const broken: readonly PlannedFault[] = [{ step: 'stack', when: 'after', action: 'throw' }];

export const clockMoved: Fault = {
  name: 'clock moved',
  what: 'an hour on or back during a create, and right again during the next try: both ways it ends in time',
  tries: { short: 1, full: 8 },
  async run(bench) {
    const world = await bench.fresh({ entry: 'test/chaos/faulty-service.ts' });
    const { dataDir } = world.service;
    for (let count = 0; count < bench.tries; count += 1) {
      const byMs = count % 2 === 0 ? hourMs : -hourMs;
      await bench.attempt(`by ${byMs / hourMs} h`, async (begin) => {
        const instance = await world.request();
        moveClock(dataDir, byMs);
        planFaults(dataDir, instance.id, broken);
        await sleep(3_000);
        const other = await world.request();
        planFaults(dataDir, other.id, []);
        moveClock(dataDir, 0);
        begin();
        for (const { operationId } of [instance, other]) {
          const { status, error } = await world.awaitEnd(operationId);
          if (status !== 'SUCCEEDED') throw new Error(`${status} ${error?.code}`);
        }
        await Promise.all([instance, other].map(({ id }) => world.remove(id)));
      });
      moveClock(dataDir, 0);
    }
    await bench.audit(world);
  },
};
