/** The plan of an organization: only the operator of the service changes it. */
import { recordChange } from '../audit/record.ts';
import { planNames } from '../instances/plans.ts';
import { lockOrganization, readUsage, type Usage } from '../instances/quotas.ts';
import type { Clock } from '../lib/clock.ts';
import { idPattern } from '../lib/ids.ts';
import type { EntityManager, Orm } from '../store/database.ts';
import { type Organization, OrganizationEntity } from '../store/entities/organization.ts';
import { systemCaller } from './caller.ts';

/**
 * Gives an organization another plan. What it has beyond the new one stays; it gets no more.
 * @returns the plan it had.
 * @throws {Error} for an unknown plan; {AppError} `not_found`.
 */
export async function changePlan(
  { orm, clock }: { readonly orm: Orm; readonly clock: Clock },
  organizationId: string,
  plan: string,
): Promise<string> {
  if (!planNames.includes(plan)) {
    throw new Error(`There is no plan "${plan}"; plans.json has ${planNames.join(', ')}.`);
  }
  if (!idPattern('org').test(organizationId)) throw new Error(`${organizationId} is no id.`);
  const em = orm.em.fork() as EntityManager;
  return await em.transactional(async (tx) => {
    const { planName: from } = await lockOrganization(tx, organizationId);
    await tx.nativeUpdate(OrganizationEntity, { id: organizationId }, { plan });
    const fact = { organizationId, action: 'organization.change-plan', targetId: organizationId };
    const caller = systemCaller(organizationId);
    recordChange(tx, caller, clock.now(), { ...fact, details: { from, to: plan } });
    await tx.flush();
    return from;
  });
}

/** All organizations with what they use, oldest first; for the operator. */
export async function listPlans(
  orm: Orm,
): Promise<{ readonly organization: Organization; readonly usage: Usage }[]> {
  const em = orm.em.fork() as EntityManager;
  const order = { orderBy: { createdAt: 1, id: 1 } } as const;
  const organizations = await em.find(OrganizationEntity, { deletedAt: null }, order);
  const rows = [];
  for (const organization of organizations) {
    rows.push({ organization, usage: await readUsage(em, organization.id) });
  }
  return rows;
}
