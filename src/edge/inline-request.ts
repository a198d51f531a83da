/** Inline requests (`AUTH "my key"`): split into arguments with the quoting rules of redis-cli. */

const quote = 0x22;
const apostrophe = 0x27;
const backslash = 0x5c;
const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, a: 7 };

/** The arguments of one line (without its line feed), or undefined where quotes do not match. */
export function splitInlineRequest(line: Buffer): Buffer[] | undefined {
  const args: Buffer[] = [];
  let position = 0;
  for (;;) {
    while (position < line.length && isBlank(line[position])) position += 1;
    if (position >= line.length) return args;
    const word = readWord(line, position);
    if (!word) return undefined;
    args.push(Buffer.from(word.bytes));
    position = word.end;
  }
}

interface Word {
  readonly bytes: readonly number[];
  readonly end: number;
}

function readWord(line: Buffer, start: number): Word | undefined {
  const bytes: number[] = [];
  let position = start;
  while (position < line.length && !isBlank(line[position])) {
    const byte = line[position] as number;
    if (byte === quote || byte === apostrophe) {
      const end = readQuoted(line, position + 1, byte, bytes);
      // A closing quote ends the word: Redis takes no more of it.
      const closed = end !== undefined && (end === line.length || isBlank(line[end]));
      return closed ? { bytes, end } : undefined;
    }
    bytes.push(byte);
    position += 1;
  }
  return { bytes, end: position };
}

/** Appends what stands up to the closing `mark` to `bytes`; gives the place after the mark. */
function readQuoted(
  line: Buffer,
  start: number,
  mark: number,
  bytes: number[],
): number | undefined {
  let position = start;
  while (position < line.length) {
    const byte = line[position] as number;
    if (byte === mark) return position + 1;
    const escaped = byte === backslash ? readEscape(line, position, mark) : undefined;
    bytes.push(escaped?.byte ?? byte);
    position += escaped?.size ?? 1;
  }
  return undefined;
}

function readEscape(
  line: Buffer,
  position: number,
  mark: number,
): { byte: number; size: number } | undefined {
  const next = line[position + 1];
  if (next === undefined) return undefined;
  if (mark === apostrophe) return next === apostrophe ? { byte: apostrophe, size: 2 } : undefined;
  const hex = /^x([0-9a-f]{2})/i.exec(line.toString('latin1', position + 1, position + 4));
  if (hex?.[1]) return { byte: Number.parseInt(hex[1], 16), size: 4 };
  return { byte: escapes[String.fromCharCode(next)] ?? next, size: 2 };
}

/** What isspace() of C takes: space, tab, line feed, vertical tab, form feed, carriage return. */
function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}
