/**
 * The commands that the gateway refuses, each with its reason.
 *
 * Replies on a shared connection are matched to requests by their order. A command that leaves state on
 * the connection, waits, or changes how many replies there are would harm whoever uses it next. Rights
 * are not the matter here: those are Redis's to decide.
 */
import type { Command } from './parse.ts';

type Reason = keyof typeof reasons;

const reasons = {
  state: 'it would change the state of a connection that requests share',
  transaction: 'a transaction needs a connection of its own; a Lua script (EVAL) is atomic, too',
  blocking:
    'it would block a connection that requests share; poll with the form that does not wait',
  stream: 'it answers without end; connect over redis:// for it',
  replication: 'it is for replicas and clusters',
  later: 'send the commands one by one',
} as const;

/** A space stands between a command and its subcommand. */
export const refusedCommands: Readonly<Record<string, Reason>> = {
  AUTH: 'state',
  HELLO: 'state',
  RESET: 'state',
  QUIT: 'state',
  SELECT: 'state',
  SWAPDB: 'state',
  CLIENT: 'state',
  // Turns the connection's next script into a debugging session.
  'SCRIPT DEBUG': 'state',
  HIMPORT: 'state',
  MULTI: 'transaction',
  EXEC: 'transaction',
  DISCARD: 'transaction',
  WATCH: 'transaction',
  UNWATCH: 'transaction',
  SUBSCRIBE: 'stream',
  PSUBSCRIBE: 'stream',
  SSUBSCRIBE: 'stream',
  UNSUBSCRIBE: 'stream',
  PUNSUBSCRIBE: 'stream',
  SUNSUBSCRIBE: 'stream',
  MONITOR: 'stream',
  SYNC: 'replication',
  PSYNC: 'replication',
  REPLCONF: 'replication',
  ASKING: 'replication',
  READONLY: 'replication',
  READWRITE: 'replication',
  WAIT: 'blocking',
  WAITAOF: 'blocking',
  BLPOP: 'blocking',
  BRPOP: 'blocking',
  BRPOPLPUSH: 'blocking',
  BLMOVE: 'blocking',
  BLMOVEM: 'blocking',
  BLMPOP: 'blocking',
  BZPOPMIN: 'blocking',
  BZPOPMAX: 'blocking',
  BZMPOP: 'blocking',
  // Not commands but endpoints of Upstash's protocol, whose place this is until they are served.
  PIPELINE: 'later',
  'MULTI-EXEC': 'later',
};

const table = new Map(Object.entries(refusedCommands));

/** Why a command is refused, in words for its sender; undefined where it is not. */
export function findRefusal({ name, args }: Command): string | undefined {
  const reason = table.get(name) ?? table.get(readSubcommandName(name, args));
  if (reason) return `ERR ${name} is not supported over HTTP: ${reasons[reason]}`;
  if ((name === 'XREAD' || name === 'XREADGROUP') && hasBlockOption(args)) {
    return `ERR ${name} with BLOCK is not supported over HTTP: ${reasons.blocking}`;
  }
  return undefined;
}

/** Only for the one command that needs it: a first argument may be 10 MB long. */
function readSubcommandName(name: string, [subcommand]: Command['args']): string {
  return name === 'SCRIPT' ? `SCRIPT ${String(subcommand).toUpperCase()}` : name;
}

/** Walks the options as Redis does, so a group or a stream that is named "block" is no option. */
function hasBlockOption(args: Command['args']): boolean {
  const lengths = new Map([
    ['COUNT', 2],
    ['GROUP', 3],
    ['CLAIM', 2],
  ]);
  for (let at = 0; at < args.length; ) {
    const option = String(args[at]).toUpperCase();
    if (option === 'BLOCK') return true;
    if (option === 'STREAMS') return false;
    at += lengths.get(option) ?? 1;
  }
  return false;
}
