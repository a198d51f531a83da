import test from 'ava';
import { listRegions, regionIds } from '../../../src/instances/regions.ts';

test('every region that input may name is one that exists, and the other way round', (t) => {
  const regions = listRegions({ dockerHost: 'unix:///a.sock' });
  t.deepEqual(
    regions.map(({ region }) => region),
    [...regionIds],
  );
  for (const { dockerHost } of regions) t.is(dockerHost, 'unix:///a.sock');
});
