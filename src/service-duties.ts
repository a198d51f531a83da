/** The duties: what one of the servers with the role `reconciler` does for all. */
import { type DutyWork, type HeldDuty, holdDuty } from './duties/duties.ts';
import { startHousekeeping } from './housekeeping.ts';
import { createAccessSweep } from './provisioning/access-sweep.ts';
import { createDriftWatch } from './provisioning/drift/watch.ts';
import { startOperatorWatch } from './provisioning/operators/watch.ts';
import { startStraySweep } from './provisioning/strays.ts';
import type { Surfaces } from './surfaces.ts';
import type { Base, Control } from './wiring.ts';

/** Each name with what begins its work; a duty that comes back to this process is begun anew. */
type Duties = Readonly<Record<string, () => DutyWork | Promise<DutyWork>>>;

function listDuties(base: Base, { dropKey }: Surfaces, control: Control): Duties {
  const { accessSync, drift, operators, sampler, services, strays } = control;
  return {
    'sample metrics': () => begin(sampler),
    'sweep access': () => begin(createAccessSweep({ ...base, accessSync, dropKey })),
    'watch instances': () => begin(createDriftWatch(drift)),
    'watch operators': () => startOperatorWatch(operators),
    'sweep strays': () => startStraySweep(strays),
    housekeeping: () => startHousekeeping(services, base.logger),
  };
}

/** Takes each duty as soon as no other server has it. */
export function holdDuties(base: Base, surfaces: Surfaces, control: Control): HeldDuty[] {
  const duties = Object.entries(listDuties(base, surfaces, control));
  return duties.map(([name, start]) => holdDuty(base, name, start));
}

function begin<Work extends DutyWork & { start(): void }>(work: Work): Work {
  work.start();
  return work;
}
