/**
 * `/multi-exec`: all commands of a request in one MULTI … EXEC.
 *
 * Guarantees: a request with a command that cannot be run over HTTP is refused whole, before anything is
 * sent; a transaction that Redis discards is one error, and nothing of it has run; no command of it runs
 * outside of the transaction.
 *
 * The last needs care. MULTI, the commands and EXEC are written in one piece to the shared connection, and
 * were MULTI refused, Redis would run the commands one by one. The one thing it is refused for is the right
 * to it, which keys that may write have. Other keys' transactions get a connection of their own, where
 * nothing follows before MULTI was accepted; so do commands that would leave something behind on the
 * connection, or wait on it. (Should a key lose its right to write in the very moment, Redis refuses its
 * writes one by one as well.)
 */
import type { Answer } from './answer.ts';
import { classify } from './command-table.ts';
import { createOwnTurns, type Execution } from './execute.ts';
import { badRequest, connectionFailure } from './failures.ts';
import type { Command } from './parse.ts';
import { elementsOf, errorFrame, errorTextOf, type Frame, isErrorFrame } from './redis/frames.ts';
import { answerReplies, answerReply } from './reply-answer.ts';
import { createReplyRoom } from './reply-room.ts';
import { runCommands } from './run.ts';
import { restoreReply, rewriteScript } from './script-flags.ts';

const multi: Command = { name: 'MULTI', args: [] };
const exec: Command = { name: 'EXEC', args: [] };

/**
 * Runs commands as one transaction. The answer is an array of their results and errors, or one error where
 * the transaction was discarded.
 * @throws {AppError} where a command is refused, or Redis could not be asked or did not answer.
 */
export async function executeTransaction(
  execution: Execution,
  commands: readonly Command[],
): Promise<Answer> {
  const { links, grant, format } = execution;
  const needsOwn = commands.map(needsOwnConnection).includes(true);
  const sent = commands.map(rewriteScript);
  const all = [multi, ...sent, exec];
  const replies =
    needsOwn || !grant.key.permissions.includes('write')
      ? await runAlone(execution, all)
      : await runCommands(links, { grant, protocol: format.protocol, commands: all });
  const refusal = findRefusal(replies);
  if (refusal) return answerReply(refusal, format);
  const last = replies.at(-1);
  const results = last && elementsOf(last);
  if (results?.length !== commands.length) {
    throw connectionFailure(new Error('not the reply of a transaction'));
  }
  const restored = results.map((reply, index) => restoreReply(commands[index], sent[index], reply));
  return answerReplies(restored, format);
}

/** @throws {AppError} where the command cannot be run at all. */
function needsOwnConnection(command: Command, index: number): boolean {
  const classification = classify(command);
  if (classification.kind === 'refused') {
    throw badRequest(`${classification.reason} (command ${index})`);
  }
  return classification.kind === 'own' || classification.kind === 'blocking';
}

/**
 * Sends each command when the one before it was accepted.
 * @throws {AppError} also where the replies are too large together; before EXEC, nothing has run then.
 */
async function runAlone(execution: Execution, commands: readonly Command[]): Promise<Frame[]> {
  const own = createOwnTurns(execution);
  const replies: Frame[] = [];
  const room = createReplyRoom(execution.links.bounds.replyBytesMax);
  try {
    for (const command of commands) {
      const reply = await own.run(command);
      room.take(reply);
      replies.push(reply);
      if (command === multi && isErrorFrame(reply)) break;
    }
  } finally {
    own.close();
  }
  return replies;
}

/** Redis's "no" to the transaction as a whole; of a command it could not queue, with what it said of that. */
function findRefusal(replies: readonly Frame[]): Frame | undefined {
  const [first] = replies;
  const last = replies.at(-1);
  if (first && isErrorFrame(first)) return first;
  if (!last || !isErrorFrame(last)) return undefined;
  const wrong = replies.findIndex(isErrorFrame);
  const reply = replies[wrong];
  if (!reply || reply === last) return last;
  return errorFrame(`${errorTextOf(last)} (command ${wrong - 1}: ${errorTextOf(reply)})`);
}
