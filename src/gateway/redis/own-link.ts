/**
 * A connection that belongs to one request: for streams, for commands that wait, and for what may leave
 * state behind. It is closed with its request and never given to another.
 */
import type { AppError } from '../../lib/errors.ts';
import { connectionFailure } from '../failures.ts';
import type { Command } from '../parse.ts';
import type { LinkBounds } from './bounds.ts';
import { createOutbox } from './encode-command.ts';
import { elementsOf, type Frame, textOf, types } from './frames.ts';
import { type InstanceLoad, noteOpening } from './instance-load.ts';
import { openWire, type Target, type Wire } from './wire.ts';

export interface OwnLink {
  /**
   * Sends a command and gives its reply, an error reply too. For SUBSCRIBE and its like in RESP3 that is
   * the first confirmation; further ones are pushes.
   * @param timeoutMs after which the connection is closed; none where left out, the caller watches then.
   * @throws {AppError} where the connection ends before the reply.
   */
  send(command: Command, timeoutMs?: number): Promise<Frame>;
  /** Hears of everything that is no reply to `send`: messages, lines of MONITOR. What came before is given at once. */
  onPush(listener: (frame: Frame) => void): void;
  /** Resolves when it has ended, for any reason. */
  readonly closed: Promise<void>;
  close(): void;
}

interface OwnLinkOptions {
  readonly target: Target;
  readonly bounds: LinkBounds;
  readonly load: InstanceLoad;
  /** Called once, however it ends. */
  onClosed(): void;
}

interface Waiting {
  /** The kind of the push that is the reply, e.g. `subscribe`. */
  readonly confirmation: string | undefined;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (reason: AppError) => void;
}

/** Pushes that are kept for a listener who is not there yet; `replyBytesMax` bounds their bytes. */
const earlyPushesMax = 1_000;

const subscribing = /^[PS]?(UN)?SUBSCRIBE$/;

/** Opens a connection; close it in every case. The promise in `ready` rejects where it cannot be had. */
export function openOwnLink(options: OwnLinkOptions): OwnLink & { readonly ready: Promise<void> } {
  const { target, bounds, load } = options;
  const waiting: Waiting[] = [];
  const outbox = createOutbox();
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  opened.promise.catch(() => {});
  let early: Frame[] = [];
  let earlyBytes = 0;
  let listener: ((frame: Frame) => void) | undefined;
  let wasReady = false;
  let isDropped = false;
  let endReason: AppError | undefined;
  const { connectTimeoutMs } = load.breaker;
  const wire: Wire = openWire(
    target,
    { ...bounds, connectTimeoutMs },
    {
      onReady() {
        wasReady = true;
        load.breaker.noteAnswer();
        opened.resolve();
      },
      onReply(frame) {
        const first = waiting.shift();
        if (first) first.resolve(frame);
        else give(frame);
      },
      onPush(frame) {
        const { confirmation } = waiting[0] ?? {};
        if (confirmation !== undefined && kindOf(frame) === confirmation) {
          waiting.shift()?.resolve(frame);
        } else give(frame);
      },
      onEnd(reason) {
        endReason = reason;
        if (!wasReady && !isDropped) noteOpening(load, reason);
        options.onClosed();
        opened.reject(reason);
        for (const { reject } of waiting.splice(0)) reject(reason);
        closed.resolve();
      },
    },
  );

  function give(frame: Frame): void {
    if (listener) {
      listener(frame);
      return;
    }
    early.push(frame);
    earlyBytes += frame.length;
    if (early.length <= earlyPushesMax && earlyBytes <= bounds.replyBytesMax) return;
    early = [];
    wire.end(closedFailure());
  }

  return {
    ready: opened.promise,
    closed: closed.promise,
    async send(command, timeoutMs) {
      if (endReason) throw endReason;
      const isConfirmed = target.protocol === 3 && subscribing.test(command.name);
      const confirmation = isConfirmed ? command.name.toLowerCase() : undefined;
      const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
      outbox.add(command);
      wire.write(outbox.take());
      try {
        return await new Promise<Frame>((resolve, reject) => {
          waiting.push({ confirmation, resolve, reject });
        });
      } finally {
        clearTimeout(timer);
      }
    },
    onPush(next) {
      listener = next;
      const kept = early;
      early = [];
      for (const frame of kept) next(frame);
    },
    close() {
      isDropped = true;
      wire.end(closedFailure());
    },
  };

  function onTimeout(): void {
    wire.end(connectionFailure(new Error('Command timed out')));
  }
}

/** The first element of a push says what it is. */
function kindOf(frame: Frame): string | undefined {
  if (frame[0] !== types.push) return undefined;
  const [kind] = elementsOf(frame) ?? [];
  return kind && textOf(kind);
}

function closedFailure(): AppError {
  return connectionFailure(new Error('Connection is closed'));
}
