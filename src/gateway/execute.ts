/**
 * From commands to the answer: each command runs where its class allows (command-table.ts).
 *
 * Guarantees: the commands of a request run in the order they stand in; those for shared connections
 * that follow one another are written at once; a refused command never reaches Redis; an error of one
 * command of a pipeline is that command's alone, but a lost connection fails the whole request, for what
 * of it has run is not known.
 */
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
import { runCommands } from './run.ts';
import { scanWithType, withoutType } from './scan-with-type.ts';
import { restoreReply, rewriteScript } from './script-flags.ts';

/** What the commands of a request have in common. */
export interface Execution {
  readonly links: Links;
  readonly grant: Grant;
  readonly format: ReplyFormat;
  /** Aborted when the caller has gone; asked for only where something waits. */
  readonly signal: AbortSignal;
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
  const own = createOwnTurns(execution);
  const replies: Frame[] = [];
  let batch: Command[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const asked = batch;
    batch = [];
    for (const reply of await runShared(execution, asked)) replies.push(reply);
  };
  try {
    for (const command of commands) {
      const turn = takeTurn(execution, command, own);
      if (!turn) {
        batch.push(command);
        continue;
      }
      await flush();
      replies.push(await turn().catch(toErrorFrame));
    }
    await flush();
  } finally {
    own.close();
  }
  return answerReplies(replies, execution.format);
}

/** Not async, for most commands take the shortest way; it may throw at once. */
function run(execution: Execution, command: Command): Promise<Frame> {
  const classification = classify(command);
  switch (classification.kind) {
    case 'refused':
      throw badRequest(classification.reason);
    case 'blocking': {
      const { links, grant, format, signal, stopping } = execution;
      const until = stopping ? AbortSignal.any([signal, stopping]) : signal;
      return runBlocking(links, grant, format.protocol, command, until);
    }
    case 'own':
      return runOnOwn(execution, command);
    default: {
      const scan = withoutType(command);
      return scan ? runScan(execution, scan) : runAlone(execution, command);
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

/** How a command of a pipeline is run apart from the others; undefined where it need not be. */
function takeTurn(
  execution: Execution,
  command: Command,
  own: OwnTurns,
): (() => Promise<Frame>) | undefined {
  const classification = classify(command);
  switch (classification.kind) {
    case 'refused':
      return async () => errorFrame(classification.reason);
    case 'blocking':
      return async () => errorFrame(describeWaiting(command));
    case 'own':
      return () => own.run(command);
    default: {
      const scan = withoutType(command);
      return scan && (() => runScan(execution, scan));
    }
  }
}

function describeWaiting({ name }: Command): string {
  return `ERR ${name} is not supported over HTTP in a pipeline: the other commands would wait for it; send it alone`;
}

function toErrorFrame(thrown: unknown): Frame {
  return errorFrame(describeFailure(thrown).message);
}

/** Runs commands on the shared connection, written at once. */
async function runShared(
  { links, grant, format }: Execution,
  asked: readonly Command[],
): Promise<Frame[]> {
  const sent = asked.map(rewriteScript);
  const { protocol } = format;
  const replies = await runCommands(links, { grant, protocol, commands: sent });
  return replies.map((reply, index) => restoreReply(asked[index], sent[index], reply));
}

function runScan(execution: Execution, scan: Command): Promise<Frame> {
  const { protocol } = execution.format;
  return scanWithType((commands) => runShared(execution, commands), scan, protocol);
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
    ({ signal } = execution);
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
