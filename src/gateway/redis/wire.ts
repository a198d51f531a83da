/**
 * One signed-in TCP connection to an instance: bytes out, frames in.
 *
 * Its life: connecting (tried again for a short while where it is refused or cut) → signing in →
 * ready → ended. It ends once, for one reason, which `onEnd` tells; nothing is called after it. Only
 * HELLO or AUTH is sent by itself. All connections of the process read into one buffer, so an idle one
 * holds none.
 */
import { connect, type Socket } from 'node:net';
import type { AppError } from '../../lib/errors.ts';
import { connectionFailure, replyTooDeep, replyTooLarge, signInFailure } from '../failures.ts';
import type { LinkBounds } from './bounds.ts';
import { encodeCommand } from './encode-command.ts';
import { errorTextOf, type Frame, isErrorFrame } from './frames.ts';
import { createReplyReader, type ReplyReader, type Violation } from './reply-reader.ts';

/** 3 keeps maps, doubles and booleans apart; 2 has the shapes that Upstash's clients expect. */
export type Protocol = 2 | 3;

/** Where a connection leads, and as whom. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** The key's ACL user, and its secret. */
  readonly user: string;
  readonly secret: string;
}

interface WireHandlers {
  /** Signed in. */
  onReady(): void;
  onReply(frame: Frame): void;
  onPush(frame: Frame): void;
  /** @param reason for the caller whose reply was the next one; the others were only beside it. */
  onEnd(reason: AppError): void;
}

export interface Wire {
  /** Whether bytes can be written: signed in, and not known to be cut. */
  readonly isReady: boolean;
  /** Writes pieces in one go; text is UTF-8. */
  write(pieces: readonly (string | Buffer)[]): void;
  /** Cuts the connection; `onEnd` is called with the reason unless it has ended before. */
  end(reason: AppError): void;
}

const keepAliveDelayMs = 60_000;
const retryMsMin = 50;
const retryMsMax = 100;
/** The socket's reads are copied out of it before the next one, so one is enough for all. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

type WireBounds = Pick<
  LinkBounds,
  'replyBytesMax' | 'replyDepthMax' | 'connectTimeoutMs' | 'refusedRetryMs'
>;

/** Connects and signs in. */
export function openWire(target: Target, bounds: WireBounds, handlers: WireHandlers): Wire {
  const startedMs = performance.now();
  let state: 'opening' | 'ready' | 'ended' = 'opening';
  let tries = 0;
  let retry: NodeJS.Timeout | undefined;
  const deadline = setTimeout(() => end(timeoutFailure()), bounds.connectTimeoutMs);
  let reader = createReader();
  let socket = dial();

  function createReader(): ReplyReader {
    return createReplyReader({
      ...bounds,
      onReply(frame) {
        if (state === 'ready') handlers.onReply(frame);
        else if (state === 'opening') finishSignIn(frame);
      },
      onPush: (frame) => handlers.onPush(frame),
      onViolation: (violation) => end(violationFailure(violation, bounds)),
    });
  }

  function dial(): Socket {
    const { host, port } = target;
    const dialled = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveDelayMs,
      onread: { buffer: readBuffer, callback: read },
    });
    dialled.once('connect', () => dialled.write(signInCommand(target)));
    dialled.on('error', (error) => onLost(dialled, error));
    dialled.once('end', () => onLost(dialled, undefined));
    dialled.once('close', () => onLost(dialled, undefined));
    return dialled;
  }

  function read(length: number): boolean {
    reader.push(readBuffer, length);
    return true;
  }

  function finishSignIn(frame: Frame): void {
    if (isErrorFrame(frame)) {
      end(signInFailure(errorTextOf(frame)));
      return;
    }
    clearTimeout(deadline);
    state = 'ready';
    handlers.onReady();
  }

  /** While it opens nothing but the sign-in was sent, so another try repeats nothing. */
  function onLost(lost: Socket, error: NodeJS.ErrnoException | undefined): void {
    if (state === 'ended' || retry || lost !== socket) return;
    const waitedMs = performance.now() - startedMs;
    if (state !== 'opening' || waitedMs >= bounds.refusedRetryMs) {
      end(connectionFailure(error ?? new Error('Connection is closed')));
      return;
    }
    const waitMs = Math.min(retryMsMax, retryMsMin * 2 ** tries);
    tries += 1;
    lost.destroy();
    retry = setTimeout(() => {
      retry = undefined;
      // What was read of the sign-in's answer is not to stand before the next one's.
      reader = createReader();
      socket = dial();
    }, waitMs);
  }

  function end(reason: AppError): void {
    if (state === 'ended') return;
    state = 'ended';
    clearTimeout(deadline);
    clearTimeout(retry);
    reader.stop();
    socket.destroy();
    handlers.onEnd(reason);
  }

  return {
    get isReady() {
      return state === 'ready' && socket.writable;
    },
    write(pieces) {
      if (pieces.length === 1) {
        socket.write(pieces[0] ?? '');
        return;
      }
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
    },
    end,
  };
}

/** The one command of a connection's own. */
function signInCommand({ protocol, user, secret }: Target): Buffer {
  if (protocol === 2) return encodeCommand({ name: 'AUTH', args: [user, secret] });
  return encodeCommand({ name: 'HELLO', args: ['3', 'AUTH', user, secret] });
}

function timeoutFailure(): AppError {
  return connectionFailure(new Error('Connecting timed out'));
}

function violationFailure(violation: Violation, bounds: WireBounds): AppError {
  if (violation === 'too large') return replyTooLarge(bounds.replyBytesMax);
  if (violation === 'too deep') return replyTooDeep(bounds.replyDepthMax);
  return connectionFailure(new Error(`The reply is ${violation}`));
}
