import test from 'ava';
import { findMissing } from '../../../setup/steps/packages.js';

const wanted = {
  '': {},
  'node_modules/a': { version: '1.0.0' },
  'node_modules/a-darwin': { version: '1.0.0', optional: true },
};

test('packages for other platforms may be missing', (t) => {
  t.is(findMissing(wanted, { 'node_modules/a': { version: '1.0.0' } }), undefined);
});

test('a package that is missing or of another version means work', (t) => {
  t.is(findMissing(wanted, {}), 'node_modules/a');
  t.is(findMissing(wanted, { 'node_modules/a': { version: '1.0.1' } }), 'node_modules/a');
});
