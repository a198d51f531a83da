import { dataVolume } from './data-volume.ts';
import { hostIsolation } from './host-isolation.ts';
import { logRotation } from './log-rotation.ts';
import { loopbackPorts } from './loopback-ports.ts';
import { memoryLimit } from './memory-limit.ts';
import { pinnedImage } from './pinned-image.ts';
import type { PolicyContext, ResourceProperties, Rule } from './rule.ts';

/** Every rule of the pack. */
export const rules: readonly Rule[] = [
  memoryLimit,
  hostIsolation,
  pinnedImage,
  loopbackPorts,
  logRotation,
  dataVolume,
];

export interface Violation {
  readonly rule: string;
  readonly problem: string;
}

/** Judges one resource by all rules. */
export function findViolations(
  type: string,
  properties: ResourceProperties,
  context: PolicyContext,
): Violation[] {
  return rules.flatMap((rule) =>
    rule.check(type, properties, context).map((problem) => ({ rule: rule.name, problem })),
  );
}
