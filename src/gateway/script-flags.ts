/**
 * Lua scripts with flags that only Upstash's Redis knows, such as those of its rate limiter.
 *
 * Redis refuses a script whose first line has a flag that it does not know. Such a flag is taken out on the
 * way to Redis, and the script then has another SHA than its sender knows it by; so the two are kept
 * together, and to the sender it is always the one that he computed.
 *
 * Guarantees: a script without such a flag is sent as it came, wrong flags too, which are Redis's to
 * refuse; lines keep their numbers; what is kept is bounded, and who sends a SHA that was forgotten (or is
 * another process's) gets Redis's own NOSCRIPT, after which clients send the script again.
 */
import { hash } from 'node:crypto';
import type { Command } from './parse.ts';
import { bulkFrame, type Frame, isErrorFrame } from './redis/frames.ts';

/** It lets Upstash run scripts side by side, and changes nothing of what they do. */
const upstashFlag = 'allow-key-locking';
const shebang = '#!lua';
const scriptsMax = 10_000;

/** SHAs of scripts as they were sent, and as Redis has them; the first was used the longest time ago. */
const rewrittenShas = new Map<string, string>();

/** Gives a command as Redis can read it; the very same where nothing is to be changed. */
export function rewriteScript(command: Command): Command {
  const { name, args } = command;
  switch (name) {
    case 'EVAL':
    case 'EVAL_RO':
      return rewriteSource(command, 0);
    case 'EVALSHA':
    case 'EVALSHA_RO':
      return rewriteShas(command, 0, 1);
    case 'SCRIPT':
      if (isSubcommand(args[0], 'LOAD')) return rewriteSource(command, 1);
      if (isSubcommand(args[0], 'EXISTS')) return rewriteShas(command, 1, args.length);
      return command;
    default:
      return command;
  }
}

/** Gives Redis's reply to the rewritten command as the reply to the one that was asked for. */
export function restoreReply(
  asked: Command | undefined,
  sent: Command | undefined,
  reply: Frame,
): Frame {
  if (asked === sent || asked?.name !== 'SCRIPT' || isErrorFrame(reply)) return reply;
  const [subcommand, source = ''] = asked.args;
  return isSubcommand(subcommand, 'LOAD') ? bulkFrame(sha1(source)) : reply;
}

function isSubcommand(argument: string | Buffer | undefined, name: string): boolean {
  return argument?.length === name.length && String(argument).toUpperCase() === name;
}

function rewriteSource(command: Command, place: number): Command {
  const { name, args } = command;
  const source = args[place];
  const rewritten = source === undefined ? undefined : takeFlagOut(source);
  if (source === undefined || rewritten === undefined) return command;
  remember(sha1(source), sha1(rewritten));
  return { name, args: args.with(place, rewritten) };
}

function rewriteShas(command: Command, from: number, to: number): Command {
  if (rewrittenShas.size === 0) return command;
  let args: (string | Buffer)[] | undefined;
  for (let place = from; place < to; place++) {
    const sha = String(command.args[place] ?? '').toLowerCase();
    const rewritten = rewrittenShas.get(sha);
    if (rewritten === undefined) continue;
    remember(sha, rewritten);
    args ??= [...command.args];
    args[place] = rewritten;
  }
  return args ? { name: command.name, args } : command;
}

function remember(sha: string, rewritten: string): void {
  rewrittenShas.delete(sha);
  rewrittenShas.set(sha, rewritten);
  if (rewrittenShas.size <= scriptsMax) return;
  const [oldest] = rewrittenShas.keys();
  if (oldest !== undefined) rewrittenShas.delete(oldest);
}

/** Undefined where the flag is not there. */
function takeFlagOut(source: string | Buffer): string | Buffer | undefined {
  if (typeof source !== 'string') {
    // One byte is one character, so all of them come back as they were.
    const rewritten = takeFlagOutOfText(source.toString('latin1'));
    return rewritten === undefined ? undefined : Buffer.from(rewritten, 'latin1');
  }
  return takeFlagOutOfText(source);
}

function takeFlagOutOfText(source: string): string | undefined {
  if (!source.startsWith(shebang)) return undefined;
  const end = source.indexOf('\n');
  const line = end < 0 ? source : source.slice(0, end);
  if (!line.includes(upstashFlag)) return undefined;
  const rewritten = line.replace(/(\s)flags=(\S*)/g, (_, space: string, list: string) => {
    const flags = list.split(',').filter((flag) => flag !== upstashFlag);
    return flags.length > 0 ? `${space}flags=${flags.join(',')}` : '';
  });
  return rewritten === line ? undefined : rewritten + source.slice(line.length);
}

function sha1(source: string | Buffer): string {
  return hash('sha1', source, 'hex');
}
