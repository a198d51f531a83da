/** The framer of requests behind a sign-in, fed with damaged bytes: see fuzz.test.ts. */
import test from 'ava';
import { RequestFramer } from '../../../src/edge/request-framer.ts';
import { cutAnywhere, damagedFrames } from './fuzz.ts';
import { chanceOf } from './random.ts';

const frames = Number(process.env.FRAMES ?? 3_000);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

test('requests behind a sign-in begin at the same places however damaged bytes are cut', (t) => {
  t.timeout(2 * 60 * 60_000);
  t.log(`SEED=${seed}`);
  let requests = 0;
  let dead = 0;
  for (let index = 0; index < frames; index += 1) {
    const chance = chanceOf(seed, index);
    const bytes = damagedFrames(chance);
    const whole = frame([bytes]);
    const cut = frame(cutAnywhere(chance, bytes));
    if (JSON.stringify(whole) !== JSON.stringify(cut)) {
      t.deepEqual(cut, whole, `frame ${index}: ${JSON.stringify(bytes.toString('latin1'))}`);
      return;
    }
    requests += whole.begun.length;
    if (whole.isDead) dead += 1;
  }
  t.log(`${frames} frames, ${requests} requests, ${dead} that Redis does not take`);
  t.true(requests > frames / 4 && dead > frames / 20, 'hardly anything was read');
});

interface Seen {
  /** What begins where. */
  readonly begun: string[];
  readonly isDead: boolean;
}

function frame(chunks: readonly Buffer[]): Seen {
  const framer = new RequestFramer();
  const begun: string[] = [];
  let held = Buffer.alloc(0);
  let heldAt = 0;
  for (const chunk of chunks) {
    const bytes = Buffer.concat([held, chunk]);
    let position = 0;
    while (position < bytes.length) {
      const kind = framer.read(bytes, position);
      if (kind === 'incomplete') break;
      if (kind === 'request' || kind === 'sign-in') begun.push(`${kind} ${heldAt + position}`);
      if (framer.deadAt !== -1) return { begun, isDead: true };
      position = framer.end;
    }
    held = Buffer.from(bytes.subarray(position));
    heldAt += position;
  }
  return { begun, isDead: false };
}
