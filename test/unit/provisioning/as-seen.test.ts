import test from 'ava';
import { runAsSeen } from '../../../src/provisioning/as-seen.ts';

const lost = new Error('the lease was lost');
const held = async (): Promise<boolean> => true;

/** As the pool: a run that may not begin fails, whatever the reason. */
async function run(mayBegin: () => Promise<boolean>): Promise<string> {
  if (!(await mayBegin())) throw lost;
  return 'done';
}

test('a run on a state that was written meanwhile is not begun, and its try not counted', async (t) => {
  const refused = await t.throwsAsync(runAsSeen({ isAsSeen: async () => false }, held, run));
  t.like(refused, { code: 'stack_locked' });
});

test('a run without the lease fails as such', async (t) => {
  const isAsSeen = async (): Promise<boolean> => true;
  t.is(await t.throwsAsync(runAsSeen({ isAsSeen }, async () => false, run)), lost);
});

test('what a run that has begun writes itself is not in its way', async (t) => {
  let isWritten = false;
  const done = await runAsSeen({ isAsSeen: async () => !isWritten }, held, async (mayBegin) => {
    await run(mayBegin);
    isWritten = true;
    return await run(mayBegin);
  });
  t.is(done, 'done');
});
