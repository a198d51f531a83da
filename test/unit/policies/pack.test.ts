import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { containerMemoryMib } from '../../../infra/sizing.ts';
import { loadPolicyContext } from '../../../policies/context.ts';
import { rules } from '../../../policies/rules.ts';

const folder = new URL('../../../policies/', import.meta.url);
const mib = 1024 * 1024;

/** Files of policies/ that are not rules. */
const others = ['context.ts', 'pack.ts', 'rule.ts', 'rules.ts'];

test('every rule of the folder is on the list, under the name of its file', async (t) => {
  const files = readdirSync(folder).filter(
    (file) => file.endsWith('.ts') && !others.includes(file),
  );
  const found = await Promise.all(
    files.map(async (file) => Object.values(await import(new URL(file, folder).href))),
  );
  t.is(found.flat().length, files.length);
  for (const rule of found.flat()) t.true(rules.includes(rule as (typeof rules)[number]));
  t.deepEqual(rules.map(({ name }) => `${name}.ts`).sort(), files.sort());
});

test('rules have names that differ and descriptions', (t) => {
  t.is(new Set(rules.map(({ name }) => name)).size, rules.length);
  for (const { name, description } of rules) {
    t.regex(name, /^[a-z]+(-[a-z]+)*$/);
    t.regex(description, /\.$/);
  }
});

test("the pack wraps the very list of rules, and nothing else judges an operator's run", (t) => {
  const pack = readFileSync(new URL('pack.ts', folder), 'utf8');
  t.regex(pack, /policies: rules\.map\(/);
  t.regex(pack, /import \{ rules \} from '\.\/rules\.ts'/);
  t.notRegex(pack, /advisory|disabled|remediate/);
  t.regex(readFileSync(new URL('index.js', folder), 'utf8'), /import '\.\/pack\.ts'/);
});

test('the bounds of memory are those of the plans, with the headroom of a container', (t) => {
  const plans: Record<string, Record<string, number>> = JSON.parse(
    readFileSync(new URL('../plans.json', folder), 'utf8'),
  );
  const smallest = Math.min(...Object.values(plans).map((plan) => plan.maxMemoryMibMin ?? 0));
  const largest = Math.max(...Object.values(plans).map((plan) => plan.maxMemoryMibMax ?? 0));
  const { memoryMibMin, memoryMibMax } = loadPolicyContext();
  t.is(memoryMibMin, containerMemoryMib(smallest * mib, false));
  t.is(memoryMibMax, containerMemoryMib(largest * mib, true));
});

test('the allowed images are those of allowed-images.json, and the one that set-up pinned', (t) => {
  const lists = JSON.parse(readFileSync(new URL('allowed-images.json', folder), 'utf8'));
  const { allowedImages, allowedRepositories } = loadPolicyContext();
  t.deepEqual(allowedRepositories, lists.repositories);
  t.deepEqual(allowedImages.slice(0, lists.images.length), lists.images);
  t.true(allowedImages.length <= lists.images.length + 1);
});
