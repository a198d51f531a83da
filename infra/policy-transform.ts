import { runtime } from '@pulumi/pulumi';
import { loadPolicyContext } from '../policies/context.ts';
import { findViolations } from '../policies/rules.ts';

/** The mark by which the service knows a refusal in Pulumi's diagnostics. */
export const policyRefusal = 'policy refused';

/**
 * Applies the policies to every resource of the current stack, before it is registered. The first
 * resource that breaks a rule stops the run, whoever started it. What the rules judge must be plain
 * values in the program: an output is not known yet at this point.
 */
export function enforcePolicies(): void {
  const context = loadPolicyContext();
  runtime.registerStackTransformation(({ type, props }) => {
    const violations = findViolations(type, props, context);
    if (violations.length > 0) {
      const text = violations.map(({ rule, problem }) => `[${rule}] ${problem}`).join(' ');
      throw new Error(`${policyRefusal}: ${text}`);
    }
    return undefined;
  });
}
