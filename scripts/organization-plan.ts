/**
 * `npm run -s organization:plan -- org_… pro`: gives an organization another plan of plans.json. Without
 * arguments, lists the organizations with their plans and what they use. The running service need not be
 * told: it reads the plan with each request.
 */
import { changePlan, listPlans } from '../src/accounts/change-plan.ts';
import { loadConfig } from '../src/config.ts';
import { systemClock } from '../src/lib/clock.ts';
import { openDatabase } from '../src/store/database.ts';

const [organizationId, plan, ...more] = process.argv.slice(2);
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const orm = await openDatabase(loadConfig());
try {
  if (organizationId === undefined) {
    for (const { organization, usage } of await listPlans(orm)) {
      const { id, name, plan: present } = organization;
      const mib = Math.round(usage.memoryBytes / (1024 * 1024));
      say(
        `${id}  ${present}  ${usage.instances} instances, ${mib} MiB, ${usage.keys} keys  ${name}`,
      );
    }
  } else if (plan === undefined || more.length > 0) {
    throw new Error('Usage: npm run -s organization:plan [-- ORGANIZATION PLAN]');
  } else {
    const before = await changePlan({ orm, clock: systemClock }, organizationId, plan);
    say(`${organizationId} has the plan ${plan} now; it had ${before}.`);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await orm.close();
}
