/**
 * Reads what a client sends before it has signed in, and writes the commands the door sends itself.
 *
 * Guarantees: the same bytes give the same requests and the same error however they were split; at
 * most `unauthenticatedBytesMax` bytes are ever read as requests, so an unknown client costs little
 * memory and time; errors have Redis's own words. Nothing here does input or output.
 */
import { splitInlineRequest } from './inline-request.ts';

/** All a client may send before it has signed in; Redis's own bound for one inline request. */
export const unauthenticatedBytesMax = 64 * 1024;
const argumentsMax = 64;
/** Redis's own bound for one argument before authentication. */
const argumentBytesMax = 16_384;

export type ReadResult =
  | { readonly kind: 'request'; readonly args: readonly Buffer[] }
  | { readonly kind: 'incomplete' }
  /** The stream cannot be read on; `message` is the text of Redis's protocol error. */
  | { readonly kind: 'malformed'; readonly message: string };

export interface RequestReader {
  push(chunk: Buffer): void;
  /** The next whole request. Empty ones (a blank line, `*0`) are skipped, as Redis does. */
  next(): ReadResult;
  /** The bytes that belong to no request given so far. */
  rest(): Buffer;
}

/** Makes the reader of one connection. */
export function createRequestReader(bytesMax = unauthenticatedBytesMax): RequestReader {
  const input = createInput();
  let consumed = 0;
  // An array that is still arriving: kept, so that many small chunks are not read again and again.
  let array: PartialArray | undefined;

  const readOne = (bytes: Buffer): Step => {
    if (!array && bytes[0] !== asterisk) return readInline(bytes);
    array ??= { args: [], missing: undefined, argumentBytes: undefined, position: 0 };
    return readArray(bytes, array);
  };
  return {
    push: input.push,
    rest: input.unread,
    next() {
      for (;;) {
        const unread = input.unread();
        if (unread.length === 0) return { kind: 'incomplete' };
        const readable = unread.subarray(0, bytesMax - consumed);
        const step = readable.length === 0 ? wait('too big inline request') : readOne(readable);
        if (step.kind === 'malformed') return step;
        if (step.kind === 'wait') {
          return unread.length > readable.length ? malformed(step.tooBig) : { kind: 'incomplete' };
        }
        array = undefined;
        consumed += step.size;
        input.consume(step.size);
        if (step.args.length > 0) return { kind: 'request', args: step.args };
      }
    },
  };
}

/** A command as an array of bulk strings. */
export function encodeRequest(args: readonly (string | Buffer)[]): Buffer {
  const parts = args.flatMap((arg) => {
    const bytes = Buffer.from(arg as string);
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([Buffer.from(`*${args.length}\r\n`), ...parts]);
}

/** A number exactly as Redis takes one (no sign but minus, no leading zero, no blank), or undefined. */
export function parseInteger(text: string): number | undefined {
  if (!/^(0|-?[1-9]\d{0,17})$/.test(text)) return undefined;
  return Number(text);
}

const asterisk = 0x2a;
const dollar = 0x24;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

interface PartialArray {
  readonly args: Buffer[];
  missing: number | undefined;
  argumentBytes: number | undefined;
  /** Where in the unread bytes the part begins that was not read yet. */
  position: number;
}

type Step =
  | { readonly kind: 'done'; readonly args: readonly Buffer[]; readonly size: number }
  /** More bytes are needed; `tooBig` is the error if no more will be taken. */
  | { readonly kind: 'wait'; readonly tooBig: string }
  | { readonly kind: 'malformed'; readonly message: string };

function wait(tooBig: string): Step {
  return { kind: 'wait', tooBig };
}

function malformed(problem: string): { kind: 'malformed'; message: string } {
  return { kind: 'malformed', message: `Protocol error: ${problem}` };
}

function readInline(bytes: Buffer): Step {
  const end = bytes.indexOf(lineFeed);
  if (end === -1) return wait('too big inline request');
  const args = splitInlineRequest(bytes.subarray(0, end));
  if (!args) return malformed('unbalanced quotes in request');
  if (args.length > argumentsMax) return malformed('unauthenticated multibulk length');
  return { kind: 'done', args, size: end + 1 };
}

function readArray(bytes: Buffer, array: PartialArray): Step {
  if (array.missing === undefined) {
    const line = readLine(bytes, 1);
    if (!line) return wait('too big mbulk count string');
    const count = parseInteger(line.text);
    if (count === undefined || count > 0x7fffffff) return malformed('invalid multibulk length');
    if (count > argumentsMax) return malformed('unauthenticated multibulk length');
    array.missing = Math.max(count, 0);
    array.position = line.end;
  }
  while (array.missing > 0) {
    const step = readArgument(bytes, array);
    if (step) return step;
    array.missing -= 1;
  }
  return { kind: 'done', args: array.args, size: array.position };
}

/** Adds one argument to `array`; gives a step where that is not possible (yet). */
function readArgument(bytes: Buffer, array: PartialArray): Step | undefined {
  if (array.argumentBytes === undefined) {
    const line = readLine(bytes, array.position + 1);
    if (!line) return wait('too big bulk count string');
    const type = bytes[array.position] ?? 0;
    if (type !== dollar) return malformed(`expected '$', got '${String.fromCharCode(type)}'`);
    const length = parseInteger(line.text);
    if (length === undefined || length < 0) return malformed('invalid bulk length');
    if (length > argumentBytesMax) return malformed('unauthenticated bulk length');
    array.argumentBytes = length;
    array.position = line.end;
  }
  const end = array.position + array.argumentBytes;
  if (bytes.length < end + 2) return wait('too much sent before authentication');
  // A view: the input only ever appends, or moves on to a new buffer.
  array.args.push(bytes.subarray(array.position, end));
  array.position = end + 2;
  array.argumentBytes = undefined;
  return undefined;
}

/** A line of a length: like Redis, up to the carriage return, taking the byte after it on trust. */
function readLine(bytes: Buffer, start: number): { text: string; end: number } | undefined {
  // From the type byte on, so that `*<CR>` is an empty number and not the next line's.
  const end = bytes.indexOf(carriageReturn, Math.max(start - 1, 0));
  if (end === -1 || end + 2 > bytes.length) return undefined;
  return { text: bytes.toString('latin1', start, Math.max(end, start)), end: end + 2 };
}

/** Bytes in, bytes out: grows by doubling, so that a byte at a time costs no more than one big chunk. */
function createInput() {
  let buffer = Buffer.alloc(0);
  let start = 0;
  let end = 0;
  return {
    push(chunk: Buffer): void {
      if (end + chunk.length > buffer.length) {
        const grown = Buffer.allocUnsafe(2 * (end - start + chunk.length));
        buffer.copy(grown, 0, start, end);
        [buffer, start, end] = [grown, 0, end - start];
      }
      end += chunk.copy(buffer, end);
    },
    unread: (): Buffer => buffer.subarray(start, end),
    consume(size: number): void {
      start += size;
    },
  };
}
