/**
 * Sentinels: an ECHO of a random word after whatever may upset the count of replies.
 *
 * Some error replies quote their sender's text with its line breaks, and what follows those is then taken for
 * the next reply: those of scripts before 7.4.8, and (Debian's 7.0.15 too) FUNCTION LOAD of code that cannot
 * be compiled. A reply that was moved so is noticed at the sentinel, before any later request gets a reply.
 */
import { randomUUID } from 'node:crypto';
import type { Command } from '../parse.ts';
import type { Frame } from './frames.ts';

/**
 * The commands whose error replies are made by their senders. SCRIPT LOAD and FUNCTION LOAD run nothing, but
 * quote the script's first line in their errors: a quoted flag of it (`#!lua "flags=a\r\nb"`) breaks lines, too.
 */
const scriptNames: ReadonlySet<string> = new Set([
  'SCRIPT',
  'FUNCTION',
  'EVAL',
  'EVAL_RO',
  'EVALSHA',
  'EVALSHA_RO',
  'FCALL',
  'FCALL_RO',
]);

function isScript({ name }: Command): boolean {
  return scriptNames.has(name);
}

/** What is sent for a request that holds scripts, and what is expected at the places of the sentinels. */
export interface GuardedCommands {
  readonly commands: readonly Command[];
  /** By the place in `commands`: the whole reply that must come there, where it is a sentinel's. */
  readonly expected: readonly (string | undefined)[];
}

/** Adds the sentinels: one after each script, or after the transaction it stands in. Undefined where none is needed. */
export function guardScripts(commands: readonly Command[]): GuardedCommands | undefined {
  if (!commands.some(isScript)) return undefined;
  const guarded: Command[] = [];
  const expected: (string | undefined)[] = [];
  let isQueueing = false;
  let owed = false;
  for (const command of commands) {
    guarded.push(command);
    expected.push(undefined);
    if (command.name === 'MULTI') isQueueing = true;
    else if (command.name === 'EXEC' || command.name === 'DISCARD') isQueueing = false;
    else if (isScript(command)) owed = true;
    if (!owed || isQueueing) continue;
    const nonce = randomUUID();
    guarded.push({ name: 'ECHO', args: [nonce] });
    expected.push(`$${nonce.length}\r\n${nonce}\r\n`);
    owed = false;
  }
  return { commands: guarded, expected };
}

/** Whether a reply is the sentinel's. */
export function isExpected(frame: Frame, expected: string): boolean {
  return frame.length === expected.length && frame.toString('latin1', 0, frame.length) === expected;
}
