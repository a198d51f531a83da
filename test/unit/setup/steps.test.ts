import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readFacts, writeFacts } from '../../../setup/lib/facts.js';
import { SetupError } from '../../../setup/lib/setup-error.js';
import { runSteps } from '../../../setup/lib/steps.js';

interface Plan {
  name: string;
  found?: string | undefined;
  failAt?: 'check' | 'act' | 'verify';
}

/** Steps that write down what is called, and a progress that writes down what is told. */
function arrange(t: ExecutionContext, plans: Plan[]) {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-steps-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const factsFile = join(folder, '.setup', 'facts.json');
  const calls: string[] = [];
  const told: string[] = [];
  const context = {
    facts: {} as Record<string, unknown>,
    network: { offline: false },
    logFile: '',
    note: () => {},
    status: () => {},
    run: async () => '',
    startStep: () => {},
  };
  const steps = plans.map(({ name, found, failAt }) => {
    const call = (part: string) => {
      calls.push(`${name}.${part}`);
      if (part === failAt) throw new SetupError(`${part} failed`, { remedy: 'do this' });
    };
    return {
      name,
      check: async () => {
        call('check');
        return found;
      },
      act: async () => {
        call('act');
        context.facts[name] = 'made';
      },
      verify: async () => {
        call('verify');
        return 'made and tried';
      },
    };
  });
  const progress = {
    start: (name: string) => told.push(`start ${name}`),
    finish: (summary: string) => told.push(`done ${summary}`),
    fail: (error: Error) => told.push(`failed ${error.message}`),
  };
  const run = () => runSteps(steps, context, progress, { factsFile });
  return { run, calls, told, factsFile, context };
}

test('a step that finds its work done does nothing', async (t) => {
  const { run, calls, told } = arrange(t, [{ name: 'a', found: 'is there' }]);
  t.true(await run());
  t.deepEqual(calls, ['a.check']);
  t.deepEqual(told, ['start a', 'done is there']);
});

test('a step with work to do acts, is verified, and its facts are kept', async (t) => {
  const { run, calls, factsFile } = arrange(t, [{ name: 'a' }, { name: 'b' }]);
  t.true(await run());
  t.deepEqual(calls, ['a.check', 'a.act', 'a.verify', 'b.check', 'b.act', 'b.verify']);
  t.deepEqual(readFacts(factsFile) as unknown, { a: 'made', b: 'made' });
});

for (const failAt of ['check', 'act', 'verify'] as const) {
  test(`a step whose ${failAt} fails ends the run, and what was done before is kept`, async (t) => {
    const { run, calls, told, factsFile } = arrange(t, [
      { name: 'a' },
      { name: 'b', failAt },
      { name: 'c' },
    ]);
    t.false(await run());
    t.is(calls.at(-1), `b.${failAt}`);
    t.is(told.at(-1), `failed ${failAt} failed`);
    t.deepEqual(readFacts(factsFile) as unknown, { a: 'made' });
  });
}

test('facts that did not change are not written again', async (t) => {
  const { run, factsFile } = arrange(t, [{ name: 'a', found: 'is there' }]);
  t.true(await run());
  t.false(existsSync(factsFile));
});

test('a broken facts file is no facts, and is replaced as a whole', (t) => {
  const { factsFile } = arrange(t, []);
  t.deepEqual(readFacts(factsFile), {});
  writeFacts(factsFile, { node: { path: '/bin/node', version: '24.0.0' } });
  t.deepEqual(readFacts(factsFile), { node: { path: '/bin/node', version: '24.0.0' } });
});
