/**
 * The keys in use at the door: how many connections each and its organization have, and on what terms.
 *
 * Terms (rate, expiry, plan) change while connections stay; `renew` enters what the database says now, and all
 * connections of a key see it at once.
 */
import type { KeyTerms } from '../keys/principals.ts';
import { createRefusalAllowance, type RefusalAllowance } from './refusal-allowance.ts';
import { type Refusal, tooManyOfKey, tooManyOfPlan } from './refusals.ts';

/** Of its organization's connections, so that one program that loses count leaves some to the others. */
const shareOfKey = 0.5;

export interface KeyUse {
  terms: KeyTerms;
  connections: number;
  readonly refusals: RefusalAllowance;
}

export interface KeyUses {
  /** Counts a connection in, or refuses it. */
  join(terms: KeyTerms): KeyUse | Refusal;
  /** Counts it out, once. */
  leave(use: KeyUse): void;
  list(): string[];
  renew(terms: readonly KeyTerms[]): void;
}

export function createKeyUses(): KeyUses {
  const uses = new Map<string, KeyUse>();
  const organizations = new Map<string, number>();
  return {
    join(terms) {
      const { id, organizationId } = terms.key;
      const use = uses.get(id) ?? { terms, connections: 0, refusals: createRefusalAllowance() };
      const ofOrganization = organizations.get(organizationId) ?? 0;
      const ofKeyMax = Math.ceil(terms.connectionsMax * shareOfKey);
      if (ofOrganization >= terms.connectionsMax) return tooManyOfPlan(terms.connectionsMax);
      if (use.connections >= ofKeyMax) return tooManyOfKey(ofKeyMax);
      use.terms = terms;
      use.connections += 1;
      uses.set(id, use);
      organizations.set(organizationId, ofOrganization + 1);
      return use;
    },
    leave(use) {
      const { id, organizationId } = use.terms.key;
      use.connections -= 1;
      if (use.connections === 0) uses.delete(id);
      const others = (organizations.get(organizationId) ?? 1) - 1;
      if (others > 0) organizations.set(organizationId, others);
      else organizations.delete(organizationId);
    },
    list: () => [...uses.keys()],
    renew(terms) {
      for (const known of terms) {
        const use = uses.get(known.key.id);
        if (use) use.terms = known;
      }
    },
  };
}
