/**
 * From commands to the bytes that Redis reads: an array of bulk strings each (RESP, any version).
 *
 * Commands gather in an outbox until they are written together. Text stays text, in one string that the
 * socket turns into UTF-8 once; only bytes are pieces of their own.
 */
import type { Command } from '../parse.ts';

export interface Outbox {
  /** Gives the number of bytes that the command has on the wire. */
  add(command: Command): number;
  /** All that was added since the last time, in order; text is UTF-8. */
  take(): readonly (string | Buffer)[];
}

/** Makes an empty outbox. */
export function createOutbox(): Outbox {
  let pieces: (string | Buffer)[] = [];
  let text = '';

  function addPart(part: string | Buffer): number {
    const length = typeof part === 'string' ? byteLengthOf(part) : part.length;
    const head = `$${length}\r\n`;
    if (typeof part === 'string') {
      text += `${head}${part}\r\n`;
    } else {
      pieces.push(text + head, part);
      text = '\r\n';
    }
    return head.length + length + 2;
  }

  return {
    add({ name, args }) {
      const head = `*${args.length + 1}\r\n`;
      text += head;
      let bytes = head.length + addPart(name);
      for (const arg of args) bytes += addPart(arg);
      return bytes;
    },
    take() {
      const taken = pieces;
      if (text !== '') taken.push(text);
      pieces = [];
      text = '';
      return taken;
    },
  };
}

/** The bytes of one command; for what is not worth an outbox. */
export function encodeCommand(command: Command): Buffer {
  const outbox = createOutbox();
  outbox.add(command);
  return Buffer.concat(outbox.take().map((piece) => Buffer.from(piece as string)));
}

/** Most parts are short ASCII, and asking the runtime costs more than looking at them. */
function byteLengthOf(text: string): number {
  const { length } = text;
  if (length > 24) return Buffer.byteLength(text);
  for (let at = 0; at < length; at++) {
    if (text.charCodeAt(at) > 0x7f) return Buffer.byteLength(text);
  }
  return length;
}
