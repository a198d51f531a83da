import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Engine, RunOptions } from '../../../src/provisioning/engine.ts';
import { forgetStack } from '../../../src/provisioning/recovery.ts';
import { temporaryFolder } from '../../support/folders.ts';

const stack = 'inst_aaaaaaaaaaaaaaaa';

test('whoever lost the lease removes no lock, not even one that looks dead', async (t) => {
  const root = temporaryFolder(t);
  const locks = join(root, '.pulumi/locks/organization/swiftcache', stack);
  mkdirSync(locks, { recursive: true });
  const lock = join(locks, 'one.json');
  writeFileSync(lock, JSON.stringify({ pid: 4_194_304, hostname: hostname() }));
  const commands: string[][] = [];
  const command = {
    version: null,
    async run(words: string[]) {
      commands.push(words);
      return { stdout: '', stderr: '', code: 0 };
    },
  };
  writeFileSync(join(root, 'Pulumi.yaml'), 'name: swiftcache\nruntime: nodejs\n');
  const settings = { projectDir: root, pulumiHome: root, backendUrl: `file://${root}` };
  const engine = { settings, command, providers: { attachList: () => '' } } as unknown as Engine;
  const lost = new Error('the lease was lost');
  const askLeave = async (): Promise<void> => {
    throw lost;
  };
  const run = { askLeave, onProgress() {} } as unknown as RunOptions;
  t.is(await t.throwsAsync(forgetStack(engine, stack, run)), lost);
  t.true(existsSync(lock));
  t.deepEqual(commands, []);
});
