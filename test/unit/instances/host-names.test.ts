import test from 'ava';
import fc from 'fast-check';
import { instanceHostname, instanceOfHostname } from '../../../src/instances/host-names.ts';
import { newId } from '../../../src/lib/ids.ts';

test('a name is one that every client and certificate takes, and leads back to its instance', (t) => {
  for (let round = 0; round < 100; round += 1) {
    const id = newId('inst');
    const name = instanceHostname(id, 'example.com');
    t.regex(name, /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/);
    t.is(instanceOfHostname(name, 'example.com'), id);
    t.is(instanceOfHostname(name.toUpperCase(), 'example.com'), id);
    t.is(instanceOfHostname(`${id}.redis.example.com`, 'example.com'), id);
  }
});

test('no other name means an instance', (t) => {
  const id = newId('inst');
  for (const name of [
    '',
    id,
    `${id}.example.com`,
    `${id}.redis.example.org`,
    `${id}.redis.example.com.`,
    `x.${id}.redis.example.com`,
    `${id}x.redis.example.com`,
    `${newId('key')}.redis.example.com`,
    '.redis.example.com',
    'redis.example.com',
    `${id}.redis.exampleXcom`,
  ]) {
    t.is(instanceOfHostname(name, 'example.com'), undefined, name);
  }
});

test('any text gives an id or nothing', (t) => {
  const property = fc.property(fc.string(), (text) => {
    const found = instanceOfHostname(`${text}.redis.example.com`, 'example.com');
    return found === undefined || /^inst_[a-z2-7]{16}$/.test(found);
  });
  t.notThrows(() => fc.assert(property));
});
