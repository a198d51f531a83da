/**
 * `npm run test:client-suites [-- --only redis-py|go-redis]`: clients of Redis through the door, judged by
 * their own tests.
 *
 * Every test runs twice: through the door, and directly against another Redis of the same build as the same
 * ACL user. What passes directly must pass through the door, and what a tenant may not do must fail alike.
 * Prints the counts and what differs; exits with 1 where something does that no list holds.
 */
import { parseArgs } from 'node:util';
import { runGoRedis } from './go-redis.ts';
import { runRedisPy } from './redis-py.ts';
import { openSides } from './sides.ts';

const suites = { 'redis-py': runRedisPy, 'go-redis': runGoRedis };
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const chosen = Object.entries(suites).filter(([name]) => [undefined, name].includes(values.only));
if (chosen.length === 0) throw new Error(`no such suite; there are ${Object.keys(suites)}`);

const ends: (() => unknown)[] = [];
const endAll = async (): Promise<void> => {
  for (const end of ends.splice(0).reverse()) await end();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void endAll().finally(() => process.exit(1)));
}
const say = (text: string): void => void process.stdout.write(`${text}\n`);
let differences = 0;
try {
  const sides = await openSides({ teardown: (end) => ends.push(end) });
  for (const [name, run] of chosen) {
    const found = await run(sides, (text) => say(`${name}: ${text}`));
    for (const difference of found) say(`DIFFERENT: ${name}: ${difference}`);
    differences += found.length;
  }
} finally {
  await endAll();
}
say(differences === 0 ? 'nothing differs that is not listed' : `${differences} differ`);
process.exit(differences === 0 ? 0 : 1);
