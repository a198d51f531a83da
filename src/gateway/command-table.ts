/**
 * Which connection a command may be sent on.
 *
 * Replies on a shared connection are matched to requests by their order, so it carries only commands that
 * answer once, at once, and leave nothing behind on it. Which those are is known of every command of
 * Redis (redis-commands.ts, from its COMMAND reply, and the lists here); what is not known gets a
 * connection of its own, where it can harm nobody but its sender.
 */
import type { Command } from './parse.ts';
import { containerCommands, flaggedCommands, plainCommands } from './redis-commands.ts';
import { describeRefusal, refusedCommands } from './refused-commands.ts';

/**
 * shared: on the connection of (instance, key). script: there, too, but its reply may hold line breaks that
 * Lua wrote. own: on a connection for this request alone. blocking: there, for it may wait for long.
 */
export type Classification =
  | { readonly kind: 'shared' | 'script' | 'own' | 'blocking' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Says how a command may be run. */
export function classify({ name, args }: Command): Classification {
  const found = table.get(name) ?? own;
  if (found === container) return classifySubcommand(name, args);
  if (found === blockingByOption) return hasBlockOption(args) ? blocking : shared;
  return found;
}

/** Whether it is the name, in upper case, of a command that Redis has. */
export function isKnownCommand(name: string): boolean {
  return table.has(name);
}

const shared: Classification = { kind: 'shared' };
const script: Classification = { kind: 'script' };
const own: Classification = { kind: 'own' };
const blocking: Classification = { kind: 'blocking' };
/** Told apart by identity: these two are looked at further. */
const container: Classification = { kind: 'own' };
const blockingByOption: Classification = { kind: 'blocking' };

/**
 * Flagged by Redis, and yet nothing stays behind on the connection: `pubsub` of what only publishes or
 * counts, `noscript` of what a script may not do to other scripts or to its own user.
 */
export const sharedAllTheSame = `
PUBLISH SPUBLISH PUBSUB|CHANNELS PUBSUB|NUMPAT PUBSUB|NUMSUB PUBSUB|SHARDCHANNELS
PUBSUB|SHARDNUMSUB SCRIPT|EXISTS SCRIPT|FLUSH FUNCTION|DELETE FUNCTION|DUMP FUNCTION|FLUSH
FUNCTION|LIST ACL|CAT ACL|GENPASS ACL|WHOAMI ROLE`;

/** They run what their sender wrote, or read it; an error's text may be his, too. */
const scripts = `
EVAL EVAL_RO EVALSHA EVALSHA_RO FCALL FCALL_RO FUNCTION|LOAD FUNCTION|RESTORE SCRIPT|LOAD`;

/** Data commands of Redis 7.2 to 8.4, which the instances' image may come to have. */
const laterCommands = `
CLUSTER|MYSHARDID DELEX DIGEST HEXPIRE HEXPIREAT HEXPIRETIME HGETDEL HGETEX HPERSIST HPEXPIRE
HPEXPIREAT HPEXPIRETIME HPTTL HSETEX HTTL MSETEX VADD VCARD VDIM VEMB VGETATTR VINFO VISMEMBER VLINKS
VRANDMEMBER VRANGE VREM VSETATTR VSIM XACKDEL XCFGSET XDELEX`;

const blockingCommands = `
BLMOVE BLMOVEM BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN`;

const table = createTable();

function createTable(): ReadonlyMap<string, Classification> {
  const entries = new Map<string, Classification>();
  const set = (names: Iterable<string>, classification: Classification): void => {
    for (const name of names) entries.set(name, classification);
  };
  set(plainCommands, shared);
  set(
    flaggedCommands.map((line) => line.split(' ', 1).join()),
    own,
  );
  set(containerCommands, container);
  set(split(laterCommands), shared);
  set(split(sharedAllTheSame), shared);
  set(split(scripts), script);
  set(split(blockingCommands), blocking);
  set(['XREAD', 'XREADGROUP'], blockingByOption);
  // A server that moves a key to another stands still meanwhile: its sender's matter alone.
  set(['MIGRATE'], own);
  for (const [name, reason] of Object.entries(refusedCommands)) {
    entries.set(name, { kind: 'refused', reason: describeRefusal(name, reason) });
  }
  return entries;
}

function split(names: string): string[] {
  return names.trim().split(/\s+/);
}

/** Longer than any subcommand: an argument may be 10 MB long, and is no name then. */
const subcommandLengthMax = 40;

function classifySubcommand(name: string, [subcommand]: Command['args']): Classification {
  // It answers at once, mostly that it needs a subcommand.
  if (subcommand === undefined) return shared;
  if (subcommand.length > subcommandLengthMax) return own;
  return table.get(`${name}|${String(subcommand).toUpperCase()}`) ?? own;
}

/** How many arguments the options of XREAD and XREADGROUP take, themselves included; others take one. */
const optionLengths: ReadonlyMap<string, number> = new Map([
  ['COUNT', 2],
  ['GROUP', 3],
  ['CLAIM', 2],
]);

/** Walks the options as Redis does, so a group or a stream that is named "block" is no option. */
function hasBlockOption(args: Command['args']): boolean {
  for (let at = 0; at < args.length; ) {
    const option = String(args[at]).toUpperCase();
    if (option === 'BLOCK') return true;
    if (option === 'STREAMS') return false;
    at += optionLengths.get(option) ?? 1;
  }
  return false;
}
