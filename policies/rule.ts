/**
 * What a policy rule is: a pure function from a resource's type and properties to what is wrong with it.
 *
 * The same functions serve twice: pack.ts wraps them as a CrossGuard pack for operators' runs, and
 * infra/policy-transform.ts applies them inside the program, where they cost nothing and cannot be left
 * out. A rule judges what it is given: a property that is missing is as wrong as a property with a bad value.
 */
export interface PolicyContext {
  /** Exact image references that may run. */
  readonly allowedImages: readonly string[];
  /** Repositories of which any digest may run, e.g. `redis` for `redis@sha256:…`. */
  readonly allowedRepositories: readonly string[];
  /** Bounds of a container's memory limit in MiB, over all plans. */
  readonly memoryMibMin: number;
  readonly memoryMibMax: number;
}

export type ResourceProperties = Readonly<Record<string, unknown>>;

export interface Rule {
  /** Lower-case words joined by hyphens; unique in the pack. */
  readonly name: string;
  readonly description: string;
  /** One sentence a problem; none for a resource that complies or is not of the rule's concern. */
  check(type: string, properties: ResourceProperties, context: PolicyContext): string[];
}

export const containerType = 'docker:index/container:Container';

/** Makes a rule that looks at containers only. */
export function containerRule(
  name: string,
  description: string,
  check: (properties: ResourceProperties, context: PolicyContext) => string[],
): Rule {
  return {
    name,
    description,
    check: (type, properties, context) =>
      type === containerType ? check(properties, context) : [],
  };
}

/** A property as a list of objects; what is absent or not a list counts as empty. */
export function listOf(value: unknown): ResourceProperties[] {
  return Array.isArray(value) ? value : [];
}
