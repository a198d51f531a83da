import test from 'ava';
import type { Adoption } from '../../../../src/provisioning/operators/adoption.ts';
import {
  createPatientAdoption,
  unreadForMs,
  unreadLooksMax,
} from '../../../../src/provisioning/operators/patient-adoption.ts';
import { captureLog } from '../../../support/log-lines.ts';

function startAsking() {
  let nowMs = 0;
  let next: () => Adoption = () => 'unchanged';
  const { logger } = captureLog('debug');
  const ask = createPatientAdoption(
    async () => next(),
    { logger },
    () => nowMs,
  );
  return {
    ask,
    answer: (answer: () => Adoption) => {
      next = answer;
    },
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

const broken: Record<string, () => Adoption> = {
  'cannot be read': () => 'unreadable',
  'is not answered for': () => {
    throw new Error('timed out');
  },
};

for (const [title, answer] of Object.entries(broken)) {
  test(`a state that ${title} holds up drift for a few looks, not for ever, and each instance for itself`, async (t) => {
    const world = startAsking();
    world.answer(answer);
    for (let look = 1; look < unreadLooksMax; look += 1) t.is(await world.ask('a'), 'busy');
    // Looks in quick succession are not enough.
    t.is(await world.ask('a'), 'busy');
    world.advance(unreadForMs);
    t.is(await world.ask('a'), 'unchanged');
    t.is(await world.ask('b'), 'busy');
    // Once it was read, the patience begins anew.
    world.answer(() => 'adopted');
    t.is(await world.ask('a'), 'adopted');
    world.answer(answer);
    t.is(await world.ask('a'), 'busy');
  });
}

test('a stack that somebody works on is waited for as long as that takes', async (t) => {
  const world = startAsking();
  world.answer(() => 'busy');
  for (let look = 0; look < 2 * unreadLooksMax; look += 1) {
    world.advance(unreadForMs);
    t.is(await world.ask('a'), 'busy');
  }
});
