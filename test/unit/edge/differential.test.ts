/**
 * Random command streams through the door to one Redis and directly to another of the same build, signed in
 * as the same ACL user: the same bytes come back and the connection ends alike, or the door refuses what is
 * listed here. `npm run test:edge-differential` sends 100,000 and tells how far it is; SEED repeats a run, and
 * with FIRST and STREAMS=1 one stream of it.
 */
import test from 'ava';
import { addKey } from './door.ts';
import { exchange, findDifference, type Listed, show } from './exchange.ts';
import { chanceOf } from './random.ts';
import { randomStream, type Stream } from './random-streams.ts';
import { openRealDoor, signUp, startInstanceRedis } from './real-door.ts';

const streams = Number(process.env.STREAMS ?? 300);
const first = Number(process.env.FIRST ?? 0);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Streams under way side by side, and how many are sent before both databases are emptied. */
const atOnce = 16;
const batch = 2_000;
const differencesMax = 10;

const refusedSignIn =
  /^-(WRONGPASS|ERR this connection belongs to another key|ERR syntax error in AUTH or HELLO)/;

/** Where the door answers for itself, by design. */
const listed: readonly Listed[] = [
  {
    why: 'a connection stays that of its key, or signed out after RESET: from here on the two are not one user',
    direct: /^(\+OK|[%*]\d)/,
    door: /^-ERR this connection belongs to another key/,
    isLast: true,
  },
  {
    why: 'Redis queues a sign-in; what the door refuses in its place spoils the transaction',
    direct: /^\+QUEUED/,
    door: refusedSignIn,
    isLast: true,
  },
  {
    why: 'the door reads a sign-in whole, so it says what is wrong with a broken one',
    direct: /^-ERR Protocol error: /,
    door: /^-ERR syntax error in AUTH or HELLO/,
    isLast: true,
  },
  {
    why: 'the same, where Redis too goes on behind it',
    direct: /^-(NOPROTO|WRONGPASS|ERR Protocol version is)/,
    door: /^-ERR syntax error in AUTH or HELLO/,
  },
  {
    why: 'Redis 7.0 has signed in by the time it refuses what stands behind it, later ones have not',
    direct: /^-ERR (Client names cannot contain|Syntax error in HELLO)/,
    door: /^-ERR syntax error in AUTH or HELLO/,
    isLast: true,
  },
  {
    why: 'the door looks whose key it is before it looks at the name beside it',
    direct: /^-WRONGPASS/,
    door: /^-ERR this connection belongs to another key/,
  },
  {
    why: 'Redis takes no sign-in of a subscriber; the door refuses a wrong one before Redis sees it',
    direct: /^-ERR Can't execute '(auth|hello)': only /,
    door: refusedSignIn,
  },
  {
    why: 'the door ends a line that can be no number, and Redis waits for its end, which does not come',
    direct: /^$/,
    door: /^-ERR Protocol error: (invalid (multibulk|bulk) length|expected '\$')/,
    isLast: true,
  },
  {
    why: 'several subscriptions that end at once do so in the order of a hash table, which each Redis has its own of',
    direct: /^[*>]3\r\n\$1[12]\r\n[ps]?unsubscribe\r\n/,
    door: /^[*>]3\r\n\$1[12]\r\n[ps]?unsubscribe\r\n/,
  },
  {
    why: 'the door ends a line that is too long for a number, and Redis reads what is there',
    direct: /^-ERR Protocol error: too big (mbulk|bulk) count string/,
    door: /^-ERR Protocol error: invalid (multibulk|bulk) length/,
  },
];

test('whatever a client sends, the door gives back what Redis gives', async (t) => {
  t.timeout(6 * 60 * 60_000);
  t.log(`SEED=${seed}`);
  const [behind, twin] = [await startInstanceRedis(t), await startInstanceRedis(t)];
  const door = await openRealDoor(t, behind);
  const other = await addKey(door.orm, [door.instanceId]);
  await signUp(behind, other);
  for (const key of [door, other]) await signUp(twin, key);

  const makeStream = (index: number): Stream =>
    randomStream(chanceOf(seed, index), {
      prefix: `~${String(index).padStart(7, '0')}~`,
      keyId: door.keyId,
      secret: door.secret,
      otherKeyId: other.keyId,
      otherSecret: other.secret,
    });
  const compare = async (index: number): Promise<string | undefined> => {
    const stream = makeStream(index);
    const [viaDoor, direct] = await Promise.all([
      exchange(door.port, stream.signIn.door, stream),
      exchange(twin.port, stream.signIn.direct, stream),
    ]);
    bytesCompared += direct.bytes.length;
    const difference = findDifference({ ...stream, door: viaDoor, direct }, listed);
    return difference && `FIRST=${index}: ${difference}; sent ${show(String(stream.body))}`;
  };
  const empty = async (): Promise<void> => {
    for (const { admin } of [behind, twin]) await admin.flushall();
  };

  let bytesCompared = 0;
  const differences: string[] = [];
  const unsteady: string[] = [];
  for (let start = first; start < first + streams; start += batch) {
    await empty();
    const end = Math.min(start + batch, first + streams);
    const suspects: number[] = [];
    let next = start;
    const work = async (): Promise<void> => {
      while (next < end && differences.length < differencesMax) {
        const index = next++;
        if (await compare(index)) suspects.push(index);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    // Damaged bytes may have named another stream's key: what is the door's doing happens again alone.
    for (const index of suspects) {
      await empty();
      const difference = await compare(index);
      if (difference) {
        differences.push(difference);
        if (streams > batch) process.stderr.write(`${difference}\n`);
      } else unsteady.push(`FIRST=${index}`);
    }
    if (streams > batch)
      say(`${end - first} of ${streams} streams`, differences.length, unsteady.length);
    if (differences.length >= differencesMax) break;
  }
  t.log(`${streams} streams, ${bytesCompared} bytes`, ...unsteady);
  t.deepEqual(differences, []);
  t.true(unsteady.length <= Math.max(1, streams / 5_000), unsteady.join());
  t.true(bytesCompared > streams * 100, 'hardly anything was compared');
});

/** Tells of a long run while it goes on. */
function say(progress: string, differences: number, unsteady: number): void {
  const seconds = Math.round(performance.now() / 1_000);
  const found = `${differences} differences, ${unsteady} seen once and not again`;
  process.stderr.write(`SEED=${seed}: ${progress} in ${seconds} s, ${found}\n`);
}
