/**
 * From commands to the answer: each command runs where its class allows (command-table.ts).
 *
 * Guarantees: the commands of a request run in the order they stand in; those for shared connections
 * are written at once, up to one that runs elsewhere; a refused command never reaches Redis; an error of one
 * command of a pipeline is that command's alone, but a lost shared connection fails the whole request, for
 * what of it has run is not known; so do replies that are too large together, and no more is run then.
 */
import { AppError } from '../lib/errors.ts';
import type { Answer } from './answer.ts';
import type { Grant } from './authorize.ts';
import { runBlocking } from './blocking.ts';
import { classify } from './command-table.ts';
import { badRequest, describeFailure } from './failures.ts';
import type { Command } from './parse.ts';
import { errorFrame, type Frame } from './redis/frames.ts';
import type { Links, OwnLink } from './redis/links.ts';
import { answerReplies, answerReply } from './reply-answer.ts';
import type { ReplyFormat } from './reply-format.ts';
import { createReplyRoom, type ReplyRoom } from './reply-room.ts';
import { runCommands } from './run.ts';
import { scanWithType, withoutType } from './scan-with-type.ts';
import { restoreReply, rewriteScript } from './script-flags.ts';

/** What the commands of a request have in common. */
export interface Execution {
  readonly links: Links;
  readonly grant: Grant;
  readonly format: ReplyFormat;
  /**
   * Makes a signal that is aborted when the caller has gone; called only where something waits. (A function:
   * a getter in an object made for each request would be a hidden class for each, which outlives it.)
   */
  signalEnd(): AbortSignal;
  /** Aborted when the service stops, with the error to answer: what waits is not waited for then. */
  readonly stopping?: AbortSignal;
}

/**
 * Runs one command.
 * @throws {AppError} where it is refused, or Redis could not be asked or did not answer.
 */
export async function executeCommand(execution: Execution, command: Command): Promise<Answer> {
  return answerReply(await run(execution, command), execution.format);
}

/**
 * Runs the commands of a pipeline; a command that would wait is refused, for the others wait for it.
 * @throws {AppError} where Redis could not be asked or did not answer.
 */
export async function executePipeline(
  execution: Execution,
  commands: readonly Command[],
): Promise<Answer> {
  const room = createReplyRoom(execution.links.bounds.replyBytesMax);
  const own = createOwnTurns(execution);
  const replies: Frame[] = [];
  let batch: Batch = { commands: [], places: [] };
  const flush = async (): Promise<void> => {
    const { commands: asked, places } = batch;
    if (asked.length === 0) return;
    batch = { commands: [], places: [] };
    for (const [index, reply] of (await runShared(execution, asked, room)).entries()) {
      replies[places[index] ?? 0] = reply;
    }
  };
  try {
    for (const [place, command] of commands.entries()) {
      const turn = findTurn(execution, command, own, room);
      if (turn === 'batch') {
        batch.commands.push(command);
        batch.places.push(place);
      } else if (typeof turn === 'function') {
        await flush();
        replies[place] = await turn();
      } else replies[place] = turn;
    }
    await flush();
  } finally {
    own.close();
  }
  return answerReplies(replies, execution.format);
}

/** Commands that are written at once, and their places in the pipeline. */
interface Batch {
  readonly commands: Command[];
  readonly places: number[];
}

/** Not async, for most commands take the shortest way; it may throw at once. */
function run(execution: Execution, command: Command): Promise<Frame> {
  const classification = classify(command);
  switch (classification.kind) {
    case 'refused':
      throw badRequest(classification.reason);
    case 'blocking': {
      const { links, grant, format, stopping } = execution;
      const signal = execution.signalEnd();
      const until = stopping ? AbortSignal.any([signal, stopping]) : signal;
      return runBlocking(links, grant, format.protocol, command, until);
    }
    case 'own':
      return runOnOwn(execution, command);
    default: {
      const scan = withoutType(command);
      if (!scan) return runAlone(execution, command);
      return runScan(execution, scan, createReplyRoom(execution.links.bounds.replyBytesMax));
    }
  }
}

async function runOnOwn(execution: Execution, command: Command): Promise<Frame> {
  const own = createOwnTurns(execution);
  try {
    return await own.run(command);
  } finally {
    own.close();
  }
}

async function runAlone({ links, grant, format }: Execution, asked: Command): Promise<Frame> {
  const sent = rewriteScript(asked);
  const { protocol } = format;
  const [reply] = await runCommands(links, { grant, protocol, commands: [sent] });
  if (!reply) throw new Error('a command without a reply');
  return restoreReply(asked, sent, reply);
}

/**
 * How a command of a pipeline is run apart from the others; its reply where it is not run at all, which
 * need not wait for those before it.
 */
function findTurn(
  execution: Execution,
  command: Command,
  own: OwnTurns,
  room: ReplyRoom,
): Frame | (() => Promise<Frame>) | 'batch' {
  const classification = classify(command);
  switch (classification.kind) {
    case 'refused':
      return errorFrame(classification.reason);
    case 'blocking':
      return errorFrame(describeWaiting(command));
    case 'own':
      return () => runInTurn(own, command, room);
    default: {
      const scan = withoutType(command);
      return scan ? () => runScan(execution, scan, room) : 'batch';
    }
  }
}

async function runInTurn(own: OwnTurns, command: Command, room: ReplyRoom): Promise<Frame> {
  const reply = await own.run(command).catch(toErrorFrame);
  room.take(reply);
  return reply;
}

function describeWaiting({ name }: Command): string {
  return `ERR ${name} is not supported over HTTP in a pipeline: the other commands would wait for it; send it alone`;
}

/** @throws {AppError} the given one, where it is about the size of a reply. */
function toErrorFrame(thrown: unknown): Frame {
  if (thrown instanceof AppError && thrown.code === 'invalid_request') throw thrown;
  return errorFrame(describeFailure(thrown).message);
}

/** Runs commands on the shared connection, written at once. */
async function runShared(
  { links, grant, format }: Execution,
  asked: readonly Command[],
  room: ReplyRoom,
): Promise<Frame[]> {
  const sent = asked.map(rewriteScript);
  const { protocol } = format;
  const replies = await runCommands(links, { grant, protocol, commands: sent });
  return replies.map((reply, index) => {
    room.take(reply);
    return restoreReply(asked[index], sent[index], reply);
  });
}

function runScan(execution: Execution, scan: Command, room: ReplyRoom): Promise<Frame> {
  const { protocol } = execution.format;
  return scanWithType((commands) => runShared(execution, commands, room), scan, protocol);
}

interface OwnTurns {
  run(command: Command): Promise<Frame>;
  close(): void;
}

/** A connection of the request's own, opened for the first command that needs one. */
export function createOwnTurns(execution: Execution): OwnTurns {
  let link: OwnLink | undefined;
  let signal: AbortSignal | undefined;
  const close = (): void => link?.close();

  async function open(): Promise<OwnLink> {
    const { links, grant, format } = execution;
    const opened = await links.own(grant, format.protocol);
    signal = execution.signalEnd();
    signal.addEventListener('abort', close);
    if (signal.aborted) opened.close();
    return opened;
  }

  return {
    async run(command) {
      link ??= await open();
      return await link.send(command, execution.links.bounds.commandTimeoutMs);
    },
    close() {
      signal?.removeEventListener('abort', close);
      link?.close();
    },
  };
}
