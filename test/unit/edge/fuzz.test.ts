/**
 * The reader of requests before a sign-in, fed with damaged bytes: it never fails, never grows, and tells of
 * the same requests however the bytes were cut. `npm run test:edge-fuzz` does it a million times; SEED repeats
 * a run.
 */
import test from 'ava';
import { createRequestReader, unauthenticatedBytesMax } from '../../../src/edge/resp-request.ts';
import { cutAnywhere, damagedFrames } from './fuzz.ts';
import { chanceOf } from './random.ts';

const frames = Number(process.env.FRAMES ?? 3_000);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const growthMibMax = 64;

test('damaged bytes mean the same however they are cut, and never more than is bounded', (t) => {
  t.timeout(2 * 60 * 60_000);
  t.log(`SEED=${seed}`);
  const ends: Record<string, number> = {};
  let requests = 0;
  let settledMib = 0;
  for (let index = 0; index < frames; index += 1) {
    const chance = chanceOf(seed, index);
    const bytes = damagedFrames(chance);
    const whole = readAll([bytes]);
    const cut = readAll(cutAnywhere(chance, bytes));
    if (JSON.stringify(whole) !== JSON.stringify(cut)) {
      t.deepEqual(cut, whole, `frame ${index}: ${JSON.stringify(bytes.toString('latin1'))}`);
      return;
    }
    requests += whole.requests.length;
    const kind = whole.end.replace(/got '.'/s, 'got …');
    ends[kind] = (ends[kind] ?? 0) + 1;
    if (index === Math.floor(frames / 4)) settledMib = readHeapMib();
  }
  t.log(`${frames} frames, ${requests} requests`, JSON.stringify(ends));
  t.true(readHeapMib() - settledMib < growthMibMax);
  t.true(requests > frames / 4 && Object.keys(ends).length > 5, 'hardly anything was read');
});

test('however much comes, no more than the bound is read as requests', (t) => {
  const chance = chanceOf(seed, frames);
  const reader = createRequestReader();
  let read = 0;
  for (let sent = 0; sent < 4 * unauthenticatedBytesMax; ) {
    const bytes = damagedFrames(chance);
    reader.push(bytes);
    sent += bytes.length;
    let step = reader.next();
    for (; step.kind === 'request'; step = reader.next()) {
      read += step.args.reduce((sum, arg) => sum + arg.length, 0);
    }
    if (step.kind === 'malformed') break;
  }
  t.true(read <= unauthenticatedBytesMax);
});

/** Everything a stream means: its requests, how it ends, and what is left over. */
function readAll(chunks: readonly Buffer[]): { requests: string[][]; end: string; rest: string } {
  const reader = createRequestReader();
  const requests: string[][] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (;;) {
      const read = reader.next();
      if (read.kind === 'malformed') return { requests, end: read.message, rest: '' };
      if (read.kind === 'incomplete') break;
      requests.push(read.args.map((arg) => arg.toString('latin1')));
    }
  }
  return { requests, end: 'incomplete', rest: reader.rest().toString('latin1') };
}

function readHeapMib(): number {
  return process.memoryUsage().heapUsed / (1024 * 1024);
}
