/**
 * All that one client sends, by chance: a sign-in, commands in every form that Redis reads, some of them
 * broken, cut into chunks anywhere, and an end.
 *
 * How a stream ends decides what can be compared. QUIT lets Redis send all that it has to say. A client that
 * closes its side gets what Redis has written by then: everything as long as it is little, so such streams
 * ask for little. Broken bytes may leave Redis waiting for more, so they end by closing, too.
 */
import type { Chance } from './random.ts';
import { bigReply, type Command, randomCommands, type Scene } from './random-commands.ts';

export interface Stream {
  /** Before anything else; for the door, and the same for Redis itself, which knows the user by name. */
  readonly signIn: { readonly door: Buffer; readonly direct: Buffer };
  readonly body: Buffer;
  /** Where the body is cut. */
  readonly cuts: readonly number[];
  readonly halfCloses: boolean;
  /**
   * Whether Redis may close before it has read everything, or without a last word to a web browser: what is
   * under way to the client may then be lost, with the door or without it.
   */
  readonly mayLoseReplies: boolean;
}

/** What Redis surely reads at once, where it was sent at once. */
const readAtOnceBytes = 14_000;

/** Whether Redis takes a line that is longer than this depends on how it arrives. */
const inlineBytesMax = 1_000;

const ends = ['quit', 'quit early', 'half-close', 'broken', 'too long a line'] as const;

/** Makes one. */
export function randomStream(chance: Chance, scene: Omit<Scene, 'isSmall'>): Stream {
  const end = chance.oneIn(50) ? chance.pick(ends) : chance.pick(ends.slice(0, 4));
  const halfCloses = end === 'half-close' || end === 'broken';
  const parts: Buffer[] = [];
  const count = chance.oneIn(100) ? 1_000 : chance.below(12);
  const perhaps = { ...scene, isSmall: halfCloses || count > 100 };
  for (let number = 0; number < count; number += 1) {
    for (const command of randomCommands(chance, perhaps)) parts.push(encode(chance, command));
  }
  if (end === 'quit early') parts.splice(placeOfQuit(chance, parts), 0, quit);
  if (end === 'broken') breakSomewhere(chance, parts);
  if (end === 'too long a line') parts.push(Buffer.alloc(70 * 1024, chance.pick(['x', '*1', '$'])));
  if (end === 'quit') parts.push(quit);
  const body = Buffer.concat(parts);
  const cuts = chance.oneIn(3) ? [] : cutsOf(chance, body.length);
  // Who has given up the sign-in is told off, and cut off, for what is long; for a big reply that still waits,
  // whenever Redis looks around, ten times a second.
  const text = body.toString('latin1');
  // The door sends on a sign-in by itself, so that what stands before it may be read alone.
  const isRead = cuts.length === 0 && body.length <= readAtOnceBytes && !/auth|hello/i.test(text);
  const mayBeCut = /reset/i.test(text);
  const mayEndEarly = (end !== 'quit' && end !== 'half-close') || mayBeCut;
  const mayLoseReplies =
    (mayEndEarly && (!isRead || /^(post|host:)/im.test(text))) ||
    (mayBeCut && text.includes(bigReply));
  return { signIn: signInOf(chance, scene), body, cuts, halfCloses, mayLoseReplies };
}

const quit = Buffer.from('*1\r\n$4\r\nQUIT\r\n');

/** Anywhere, but not where no replies are wanted: Redis leaves who says it there alone, or not, as it comes. */
function placeOfQuit(chance: Chance, parts: readonly Buffer[]): number {
  const isSilent = /reply/i.test(String(Buffer.concat(parts)));
  return isSilent ? 0 : chance.below(parts.length + 1);
}

function signInOf(chance: Chance, { keyId, secret }: Omit<Scene, 'isSmall'>): Stream['signIn'] {
  const version = chance.pick(['2', '3']);
  const name = chance.oneIn(2) ? ['SETNAME', 'first'] : [];
  const forms: (readonly [Command, Command])[] = [
    [
      ['AUTH', secret],
      ['AUTH', keyId, secret],
    ],
    [
      ['AUTH', 'default', secret],
      ['AUTH', keyId, secret],
    ],
    [
      ['AUTH', keyId, secret],
      ['AUTH', keyId, secret],
    ],
    [
      ['HELLO', version, 'AUTH', 'default', secret, ...name],
      ['HELLO', version, 'AUTH', keyId, secret, ...name],
    ],
  ];
  const [door, direct] = chance.pick(forms);
  const early = chance.oneIn(4) ? randomGreeting(chance) : Buffer.alloc(0);
  const form = chance.oneIn(4) ? toInline : toArray;
  return {
    door: Buffer.concat([early, form(door)]),
    direct: Buffer.concat([early, form(direct)]),
  };
}

/** What a client may ask before it has signed in. */
function randomGreeting(chance: Chance): Buffer {
  const commands: Command[] = [
    ['PING'],
    ['GET', 'k'],
    ['HELLO'],
    ['HELLO', '3'],
    ['HELLO', '9'],
    ['RESET'],
    ['COMMAND'],
    ['AUTH'],
    ['CLIENT', 'SETNAME', 'early'],
  ];
  const lines = Array.from({ length: 1 + chance.below(3) }, () => chance.pick(commands));
  return Buffer.concat(lines.map((command) => encode(chance, command)));
}

function encode(chance: Chance, command: Command): Buffer {
  const isLong = command.some((part) => part.length > inlineBytesMax);
  if (isLong || !chance.oneIn(5)) return toArray(command);
  // A line of Redis ends at the first line feed and cannot hold a zero byte, but its quotes can.
  return chance.oneIn(3) ? toBareLine(command) : toInline(command);
}

function toArray(command: Command): Buffer {
  const parts = command.flatMap((part) => {
    const bytes = Buffer.from(part as Buffer);
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([Buffer.from(`*${command.length}\r\n`), ...parts]);
}

/** A line with every argument in quotes. */
function toInline(command: Command): Buffer {
  const words = command.map((part) => {
    const text = Buffer.from(part as Buffer).toString('latin1');
    const quoted = text.replace(/[^ !#-[\]-~]/g, (character) => {
      return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
    });
    return `"${quoted}"`;
  });
  return Buffer.from(`${words.join(' ')}\r\n`, 'latin1');
}

/** A line without quotes, where that can be said; else one in quotes. */
function toBareLine(command: Command): Buffer {
  const line = command.map((part) => Buffer.from(part as Buffer).toString('latin1')).join('  ');
  const canBeBare = /^[a-zA-Z][a-zA-Z0-9 :_.-]*$/.test(line);
  return canBeBare ? Buffer.from(`${line}\n`, 'latin1') : toInline(command);
}

const oddities = [
  '*-1\r\n',
  '*0\r\n',
  '\r\n',
  '\n',
  '   \r\n',
  '*1\r\n$-1\r\n',
  '*1\r\n$-5\r\n',
  '*-2147483649\r\n',
  '*2147483648\r\n',
  '*99999999999999999999\r\n',
  '*1\r\n$536870913\r\n',
  '*1\r\n$99999999999999999999\r\n',
  '*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n',
  '*1\r\n$3\r\nPING\r\n',
  '*1\r\n$5\r\nPING\r\n',
  '*2\r\n$4\r\nECHO\r\n:5\r\n',
  '*1\r\n+PING\r\n',
  '*\r\n',
  '*1\r\n$\r\n',
  '* 1\r\n',
  '*+1\r\n$4\r\nPING\r\n',
  '*01\r\n$4\r\nPING\r\n',
  '*1\n$4\nPING\n',
  '*1\r\n$4\r\nPI',
  '*3\r\n$3\r\nSET\r\n',
  '$4\r\nPING\r\n',
  '+OK\r\n',
  'PING "open\r\n',
  'PING "closed"open\r\n',
  "ECHO 'it\\'s'\r\n",
  'ECHO "\\x41\\n\\q"\r\n',
  'PING\0PING\r\n',
  '*1\0\r\n$4\r\nPING\r\n',
  '\0',
  'PING\r',
  'POST / HTTP/1.1\r\n',
  'Host: localhost\r\n',
  'GET / HTTP/1.1\r\n',
];

/** Puts something odd in, or damages bytes that were well. */
function breakSomewhere(chance: Chance, parts: Buffer[]): void {
  const at = chance.below(parts.length + 1);
  if (chance.oneIn(2) || parts.length === 0) {
    parts.splice(at, 0, Buffer.from(chance.pick(oddities), 'latin1'));
    return;
  }
  const index = at % parts.length;
  const bytes = Buffer.from(parts[index] ?? '');
  const place = chance.below(Math.max(bytes.length, 1));
  const damaged = chance.pick([
    () => bytes.subarray(0, place),
    () => Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)]),
    () => Buffer.concat([bytes.subarray(0, place), chance.bytes(1), bytes.subarray(place)]),
    () => {
      bytes[place] = chance.below(256);
      return bytes;
    },
    () => Buffer.concat([bytes.subarray(place), bytes.subarray(0, place)]),
  ])();
  parts[index] = damaged;
}

function cutsOf(chance: Chance, length: number): number[] {
  if (length === 0) return [];
  const count = chance.pick([1, 2, 5, 20]);
  const cuts = Array.from({ length: count }, () => chance.below(length));
  return [...new Set(cuts)].sort((a, b) => a - b);
}
