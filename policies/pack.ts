/**
 * The CrossGuard pack: the rules of this folder, mandatory, for operators' runs:
 * `pulumi preview -s inst_… --policy-pack policies`.
 */
import { PolicyPack } from '@pulumi/policy';
import { loadPolicyContext } from './context.ts';
import { rules } from './rules.ts';

const context = loadPolicyContext();

new PolicyPack('swiftcache', {
  enforcementLevel: 'mandatory',
  policies: rules.map((rule) => ({
    name: rule.name,
    description: rule.description,
    enforcementLevel: 'mandatory',
    validateResource: ({ type, props }, reportViolation) => {
      for (const problem of rule.check(type, props, context)) reportViolation(problem);
    },
  })),
});
