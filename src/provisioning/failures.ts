/**
 * Why a run failed, in words for people.
 *
 * Pulumi's own output may name paths, addresses and secrets, so none of it is passed on: known causes are
 * recognised in it and told in our words; all else is `provisioning_failed`, with the text in the log.
 */
import type { ErrorCode } from '../lib/errors.ts';
import { maskSecrets } from '../lib/logger.ts';
import type { RunFailure } from './messages.ts';

/** A cause, as it is recorded with the instance and the operation. */
export interface FailureCause {
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether the same try may go better in a moment, without anybody's doing. */
  readonly transient: boolean;
}

interface KnownCause {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly transient: boolean;
  message(match: RegExpExecArray): string;
}

const knownCauses: readonly KnownCause[] = [
  {
    pattern: /policy refused: ((?:\[[a-z-]+\] [^\n[]+)+)/,
    code: 'policy_violation',
    transient: false,
    message: (match) => `A policy refused the instance: ${match[1]?.trim()}`,
  },
  {
    pattern: /port is already allocated|address already in use/i,
    code: 'port_in_use',
    transient: false,
    message: () => 'The port that the instance was given is taken by another program.',
  },
  {
    pattern:
      /Cannot connect to the Docker daemon|error during connect|docker\.sock|ECONNREFUSED.*docker/i,
    code: 'docker_unreachable',
    transient: true,
    message: () => "The region's Docker daemon cannot be reached.",
  },
  {
    pattern: /the stack is currently locked|stack's configuration was changed meanwhile/,
    code: 'stack_locked',
    transient: true,
    message: () => "Somebody else works on the instance's stack.",
  },
  {
    pattern: /LOADING Redis is loading|Redis is still writing its append-only file/,
    code: 'instance_loading',
    transient: true,
    message: () => 'Redis was reading or writing its data for too long.',
  },
  {
    pattern: /did not take its settings/,
    code: 'instance_unreachable',
    transient: true,
    message: () => 'Redis did not come to answer after its start.',
  },
  {
    pattern:
      /unable to (find|pull) image|No such image|pull access denied|manifest unknown|unable to find or pull/i,
    code: 'image_missing',
    transient: false,
    message: () => 'The Redis image is not on the Docker host and cannot be pulled.',
  },
];

/** Recognises the cause of a failed run. */
export function explainFailure({ diagnostics, timedOut }: RunFailure): FailureCause {
  if (timedOut) {
    const message = 'Provisioning did not end in time and was stopped.';
    return { code: 'provisioning_timeout', message, transient: true };
  }
  const text = diagnostics.join('\n');
  for (const { pattern, code, transient, message } of knownCauses) {
    const match = pattern.exec(text);
    if (match) return { code, message: maskSecrets(message(match)), transient };
  }
  const message = 'Provisioning failed for a reason that the operator finds in the log.';
  return { code: 'provisioning_failed', message, transient: true };
}
