/**
 * `SCAN cursor … WITHTYPE`, which Upstash's Redis has and Redis has not: keys with the types of their values.
 *
 * Run as a SCAN without the option, then a TYPE of each key. A key that went away in between is left out,
 * as it would be a moment later. The answer is `[cursor, [key, type, …]]` to Upstash's clients; to plain
 * requests the keys are the fields of an object, as all pairs are there.
 */
import type { Command } from './parse.ts';
import {
  arrayFrame,
  bytesOf,
  elementsOf,
  errorFrame,
  type Frame,
  isErrorFrame,
  textOf,
} from './redis/frames.ts';
import type { Protocol } from './reply-format.ts';

/** Written to Redis at once. */
const typesAtOnceMax = 1_000;

/** The COUNT of one command: each key costs a command more, and no rate counts those. */
const countMax = 10_000;

/** The options of SCAN that have an argument. */
const optionsWithValue: ReadonlySet<string> = new Set(['MATCH', 'COUNT', 'TYPE']);

/** Gives the command without its WITHTYPE; undefined where it has none. */
export function withoutType({ name, args }: Command): Command | undefined {
  if (name !== 'SCAN') return undefined;
  for (let at = 1; at < args.length; at++) {
    const option = String(args[at]).toUpperCase();
    if (option === 'WITHTYPE') return { name, args: args.toSpliced(at, 1) };
    if (optionsWithValue.has(option)) at += 1;
  }
  return undefined;
}

/**
 * Scans and asks for the types; where COUNT is above 10,000, nothing is run and the reply is an error.
 * @param run writes commands at once and gives their replies, in order.
 * @param scan as withoutType gave it.
 */
export async function scanWithType(
  run: (commands: readonly Command[]) => Promise<readonly Frame[]>,
  scan: Command,
  protocol: Protocol,
): Promise<Frame> {
  if (isCountTooLarge(scan)) return errorFrame(`ERR COUNT is at most ${countMax} with WITHTYPE`);
  const [reply = nothing] = await run([scan]);
  const [cursor, list = nothing] = elementsOf(reply) ?? [];
  const keys = elementsOf(list);
  if (!cursor || !keys) return reply;
  const pairs: Frame[] = [];
  for (let at = 0; at < keys.length; at += typesAtOnceMax) {
    const some = keys.slice(at, at + typesAtOnceMax);
    const types = await run(some.map((key) => ({ name: 'TYPE', args: [bytesOf(key) ?? ''] })));
    for (const [index, type] of types.entries()) {
      if (isErrorFrame(type)) return type;
      const key = some[index];
      if (key && textOf(type) !== 'none') pairs.push(key, type);
    }
  }
  return arrayFrame([cursor, protocol === 3 ? mapFrame(pairs) : arrayFrame(pairs)]);
}

/** What is no number is Redis's to refuse. */
function isCountTooLarge({ args }: Command): boolean {
  for (let at = 1; at < args.length; at++) {
    const option = String(args[at]).toUpperCase();
    if (!optionsWithValue.has(option)) continue;
    at += 1;
    if (option === 'COUNT' && Number(String(args[at])) > countMax) return true;
  }
  return false;
}

const nothing: Frame = Buffer.from('_\r\n');

function mapFrame(pairs: readonly Frame[]): Frame {
  return Buffer.concat([Buffer.from(`%${pairs.length / 2}\r\n`), ...pairs]);
}
