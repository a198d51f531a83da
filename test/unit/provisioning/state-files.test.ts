import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import type { WorkerSettings } from '../../../src/provisioning/messages.ts';
import { dropBrokenAttributes, purgeStackFiles } from '../../../src/provisioning/state-files.ts';
import { temporaryFolder } from '../../support/folders.ts';

const gone = 'inst_aaaaaaaaaaaaaaaa';
const other = 'inst_bbbbbbbbbbbbbbbb';

/** The files that Pulumi and the service keep of a stack. */
function filesOf(stack: string): string[] {
  return [
    `stacks/Pulumi.${stack}.yaml`,
    `state/.pulumi/stacks/swiftcache/${stack}.json`,
    `state/.pulumi/stacks/swiftcache/${stack}.json.bak`,
    `state/.pulumi/history/swiftcache/${stack}/${stack}-1.history.json`,
    `state/.pulumi/backups/swiftcache/${stack}/${stack}.1.json`,
    `state/.pulumi/locks/organization/swiftcache/${stack}/a.json`,
  ];
}

test('of a stack that is gone no file is left, and of others every one', (t) => {
  const root = temporaryFolder(t);
  for (const file of [...filesOf(gone), ...filesOf(other)]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '{}');
  }
  const settings = {
    stacksDir: join(root, 'stacks'),
    backendUrl: `file://${root}/state`,
  } as WorkerSettings;
  purgeStackFiles(settings, gone);
  for (const file of filesOf(gone)) t.false(existsSync(join(root, file)), file);
  for (const file of filesOf(other)) t.true(existsSync(join(root, file)), file);
  t.notThrows(() => purgeStackFiles(settings, gone));
});

test('half-written attributes of checkpoints are removed, whole ones and checkpoints stay', (t) => {
  const root = temporaryFolder(t);
  const stacks = join(root, '.pulumi/stacks/swiftcache');
  mkdirSync(stacks, { recursive: true });
  const files = {
    'a.json': '',
    'a.json.attrs': '',
    'b.json.attrs': '{"user.content_type":"tex',
    'c.json.attrs': '{"user.content_type":"text/plain; charset=utf-8"}',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(stacks, name), text);
  dropBrokenAttributes(`file://${root}`);
  t.deepEqual(readdirSync(stacks).sort(), ['a.json', 'c.json.attrs']);
  t.notThrows(() => dropBrokenAttributes('postgres://nowhere'));
});
