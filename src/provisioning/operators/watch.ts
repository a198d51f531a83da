/**
 * The watch over what operators do with Pulumi: sees each write of a stack's state and has it adopted.
 *
 * Guarantees: a change is looked at within `listEveryMs` of the end of the run that made it, and again for as
 * long as somebody works on the stack or its row; what happened while nobody watched is found at the first
 * look. It works on one stack at a time and reads only those whose state was written. Two servers that watch
 * at once do no harm: every adoption is one compare-and-set.
 */
import { type Repeating, startRepeating } from '../../lib/repeat.ts';
import { InstanceEntity } from '../../store/entities/instance.ts';
import { type AdoptionServices, adoptFromStack } from './adoption.ts';

/** A first look reads the state of every stack: not all of it in one round, which must stay short. */
const stacksPerRoundMax = 100;

export function startOperatorWatch(services: AdoptionServices): Repeating {
  const { states, logger } = services;
  const waiting = new Set<string>();
  let marks: ReadonlyMap<string, string> | undefined;

  const notice = async (): Promise<void> => {
    const seen = await states.listMarks();
    const known = marks ?? new Map((await listInstances(services)).map((id) => [id, '']));
    for (const [stack, mark] of seen) if (known.get(stack) !== mark) waiting.add(stack);
    // A stack that is no longer there may have been destroyed.
    for (const stack of known.keys()) if (!seen.has(stack)) waiting.add(stack);
    marks = seen;
  };
  const round = async (): Promise<void> => {
    await notice();
    for (const stack of [...waiting].slice(0, stacksPerRoundMax)) {
      // Out first: a write of this very moment brings it back in. To the end of the queue where it is busy.
      waiting.delete(stack);
      const adoption = await adoptFromStack(services, stack).catch((error) => {
        logger.warn({ err: error, instanceId: stack }, 'a stack could not be compared');
        return 'busy' as const;
      });
      if (adoption === 'busy' || adoption === 'unreadable') waiting.add(stack);
    }
  };
  return startRepeating(round, {
    intervalMs: states.listEveryMs,
    onError: (error) => logger.warn({ err: error }, 'the stacks could not be looked at'),
  });
}

/** The instances whose stack is there, as far as the rows know. */
async function listInstances({ orm }: AdoptionServices): Promise<string[]> {
  const made = { status: { $ne: 'DELETED' as const }, nodeHost: { $ne: null } };
  const found = await orm.em.fork().find(InstanceEntity, made, { fields: ['id'] });
  return found.map(({ id }) => id);
}
