import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  hasCheckpoint,
  isTorn,
  mendCheckpoint,
  readCheckpoint,
} from '../../../src/provisioning/checkpoints.ts';
import { temporaryFolder } from '../../support/folders.ts';

const stack = 'inst_aaaaaaaaaaaaaaaa';
const checkpoint = `stacks/swiftcache/${stack}.json`;
const copies = {
  before: `${checkpoint}.bak`,
  ofRun: `backups/swiftcache/${stack}/${stack}.1795285691436852235.json`,
  inHistory: `history/swiftcache/${stack}/${stack}-1795285691436852235.checkpoint.json`,
} as const;
const torn = {
  'of no bytes': '',
  'of half its JSON': '{"version":3,"checkp',
  'of zeros': '\0'.repeat(64),
  'of other JSON': '{}',
};

/** A state folder with the given files, each a second newer than the one before. */
function stateFolderWith(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder(t);
  for (const [index, [name, text]] of Object.entries(files).entries()) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    utimesSync(path, 1_000 + index, 1_000 + index);
  }
  return root;
}

function whole(id: string): string {
  const latest = { resources: [{ type: 'a:b:C', id }] };
  return JSON.stringify({ version: 3, checkpoint: { stack, latest } });
}

for (const [name, text] of Object.entries(torn)) {
  test(`a checkpoint ${name} is torn, and the newest whole copy takes its place`, (t) => {
    const root = stateFolderWith(t, {
      [copies.inHistory]: whole('oldest'),
      [copies.ofRun]: whole('newest whole'),
      [copies.before]: '{"version":3,',
      [checkpoint]: text,
      [`${checkpoint}.attrs`]: '{}',
    });
    t.true(isTorn(root, stack));
    mendCheckpoint(root, stack);
    t.false(isTorn(root, stack));
    t.is(readCheckpoint(root, stack)?.resources?.[0]?.id, 'newest whole');
    t.false(existsSync(join(root, `${checkpoint}.attrs`)));
  });
}

test('a torn checkpoint without a whole copy is removed, so that the stack can be made anew', (t) => {
  const root = stateFolderWith(t, { [copies.ofRun]: '', [checkpoint]: '' });
  mendCheckpoint(root, stack);
  t.false(hasCheckpoint(root, stack));
  t.false(isTorn(root, stack));
});

test('a whole checkpoint is left as it is, and one that is not there is not made from a copy', (t) => {
  const text = whole('mine');
  const root = stateFolderWith(t, { [checkpoint]: text, [copies.ofRun]: whole('newer') });
  mendCheckpoint(root, stack);
  t.is(readFileSync(join(root, checkpoint), 'utf8'), text);

  const removed = stateFolderWith(t, { [copies.before]: whole('of a stack that was removed') });
  mendCheckpoint(removed, stack);
  t.false(hasCheckpoint(removed, stack));
});

test('a stack that has nothing yet is whole', (t) => {
  const root = stateFolderWith(t, { [checkpoint]: '{"version":3,"checkpoint":{"latest":null}}' });
  t.deepEqual(readCheckpoint(root, stack), {});
});
