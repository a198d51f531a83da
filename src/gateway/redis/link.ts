/**
 * The connection that all requests of one key share at one instance, in one protocol.
 *
 * opening (requests wait) → ready → closed. Replies are told apart by their order alone, so:
 * - the first odd thing (a push, a reply nobody waits for, a sentinel that does not match, a reply over the
 *   bound, one that does not come in time) closes the link, and whoever waits gets a connection error; where
 *   Redis refuses the sentinel itself, replies wait until it is known whose they are (doubt.ts);
 * - what was written is never written again; what was not is given back as `Unsent`, for another link.
 * Everything that is asked for in one turn of the event loop is written at once. What waits is bounded in
 * number, bytes and time. A link keeps one timer, whatever the number of commands.
 */
import type { AppError } from '../../lib/errors.ts';
import { connectionFailure, replyTooLarge, tooBusy } from '../failures.ts';
import type { Command } from '../parse.ts';
import { acceptReply, createBatch, createBatchQueue } from './batches.ts';
import type { LinkBounds } from './bounds.ts';
import { createDoubt } from './doubt.ts';
import { createOutbox } from './encode-command.ts';
import type { Frame } from './frames.ts';
import { type InstanceLoad, noteOpening } from './instance-load.ts';
import { guardScripts } from './sentinels.ts';
import { openWire, type Target, type Wire } from './wire.ts';

/** Nothing was written to Redis, so it may be sent on another link. */
export class Unsent extends Error {}

export interface Link {
  /** Resolves once signed in. */
  readonly ready: Promise<void>;
  /** Commands without a reply. */
  readonly inFlight: number;
  /** The bytes of these commands. */
  readonly bytesInFlight: number;
  /** On the clock of performance.now(). */
  readonly lastUsedMs: number;
  /**
   * Sends commands in one piece and gives their replies in order, error replies too.
   * @throws {AppError} 503 at once where too much waits; `Unsent` or a connection error by the promise.
   */
  send(commands: readonly Command[]): Promise<Frame[]>;
  close(): void;
}

interface LinkOptions {
  readonly target: Target;
  readonly bounds: LinkBounds;
  /** What all links of the instance count together. */
  readonly load: InstanceLoad;
  /** Called once, before those who wait are told. */
  onClosed(): void;
}

/** Opens a link; requests may be sent on it at once. */
export function openLink({ target, bounds, load, onClosed }: LinkOptions): Link {
  const queue = createBatchQueue();
  const outbox = createOutbox();
  const opened = Promise.withResolvers<void>();
  // Whoever waits is told by a promise of their own; nobody need watch this one.
  opened.promise.catch(() => {});
  let inFlight = 0;
  let bytesInFlight = 0;
  let lastUsedMs = performance.now();
  let isFlushPlanned = false;
  let ageTimer: NodeJS.Timeout | undefined;
  let wasReady = false;
  let isClosed = false;
  /** It was not the instance that ended it. */
  let isDropped = false;
  const doubt = createDoubt({
    heldBytesMax: bounds.replyBytesMax,
    send: sendProof,
    refute: () => wire.end(oddReply()),
  });
  const { connectTimeoutMs } = load.breaker;
  const wire: Wire = openWire(
    target,
    { ...bounds, connectTimeoutMs },
    {
      onReady,
      onReply,
      onPush: () => wire.end(oddReply()),
      onEnd,
    },
  );

  function onReady(): void {
    wasReady = true;
    load.breaker.noteAnswer();
    opened.resolve();
    planFlush();
  }

  function send(commands: readonly Command[]): Promise<Frame[]> {
    if (isClosed) return Promise.reject(new Unsent());
    checkRoom();
    const guarded = guardScripts(commands);
    const toSend = guarded?.commands ?? commands;
    const commandCount = commands.length;
    const replyCount = toSend.length;
    let bytes = 0;
    try {
      for (const command of toSend) bytes += outbox.add(command);
    } catch (error) {
      // Half a command stands in the outbox: nothing may be written any more.
      close();
      throw error;
    }
    count(commandCount, bytes);
    return new Promise((resolve, reject) => {
      const { expected } = guarded ?? {};
      queue.add(createBatch({ commandCount, replyCount, bytes, expected, resolve, reject }));
      planFlush();
    });
  }

  function sendProof(command: Command, take: (reply: Frame) => void): void {
    const bytes = outbox.add(command);
    count(0, bytes);
    const resolve = ([reply]: Frame[]): void => reply && take(reply);
    const reject = (): void => {};
    queue.add(
      createBatch({ commandCount: 0, replyCount: 1, bytes, isProof: true, resolve, reject }),
    );
    planFlush();
  }

  function checkRoom(): void {
    if (inFlight >= bounds.inFlightMax) throw tooBusy('Too many commands are waiting');
    if (bytesInFlight >= bounds.bytesInFlightMax) throw tooBusy('Too many bytes are waiting');
    load.checkRoom();
  }

  function count(commands: number, bytes: number): void {
    inFlight += commands;
    bytesInFlight += bytes;
    load.add(commands, bytes);
  }

  /** Not before this turn's input was read: all of its requests are then one write. */
  function planFlush(): void {
    if (isFlushPlanned || !wasReady) return;
    isFlushPlanned = true;
    setImmediate(flush);
  }

  function flush(): void {
    isFlushPlanned = false;
    if (isClosed || !queue.hasUnsent) return;
    if (!wire.isReady) {
      wire.end(closedFailure());
      return;
    }
    lastUsedMs = performance.now();
    queue.markSent(lastUsedMs);
    wire.write(outbox.take());
    ageTimer ??= setTimeout(checkAge, bounds.commandTimeoutMs);
  }

  /** Looks at the oldest command alone: the others are younger. */
  function checkAge(): void {
    ageTimer = undefined;
    const { oldest } = queue;
    if (!oldest) return;
    const leftMs = oldest.sentAtMs + bounds.commandTimeoutMs - performance.now();
    if (leftMs > 0) {
      ageTimer = setTimeout(checkAge, leftMs);
      return;
    }
    // Where this process itself was late, the reply may only wait to be read: it gets one more turn.
    setImmediate(() => {
      if (queue.oldest === oldest) {
        load.breaker.noteSilence();
        wire.end(connectionFailure(new Error('Command timed out')));
      } else if (!ageTimer) checkAge();
    });
  }

  function onReply(frame: Frame): void {
    const batch = queue.oldest;
    const acceptance = batch?.sentAtMs ? acceptReply(batch, frame, bounds.replyBytesMax) : 'odd';
    if (acceptance === 'partial') return;
    if (!batch || acceptance !== 'whole') {
      wire.end(acceptance === 'too large' ? replyTooLarge(bounds.replyBytesMax) : oddReply());
      return;
    }
    load.breaker.noteAnswer();
    queue.shift();
    count(-batch.commandCount, -batch.bytes);
    doubt.settle(batch);
  }

  function onEnd(reason: AppError): void {
    isClosed = true;
    clearTimeout(ageTimer);
    if (!wasReady && !isDropped) noteOpening(load, reason);
    onClosed();
    opened.reject(reason);
    rejectWaiting(reason);
  }

  function close(): void {
    isDropped = true;
    wire.end(closedFailure());
  }

  function rejectWaiting(reason: AppError): void {
    // Too large a reply is the matter of the one who asked for it; to the others the connection failed.
    const isOneCallers = wasReady && reason.code === 'invalid_request';
    let isFirst = true;
    doubt.reject(isOneCallers ? closedFailure() : reason);
    for (let batch = queue.oldest; batch; batch = queue.oldest) {
      queue.shift();
      count(-batch.commandCount, -batch.bytes);
      if (wasReady && batch.sentAtMs === 0) batch.reject(new Unsent());
      else batch.reject(isOneCallers && !isFirst ? closedFailure() : reason);
      isFirst = false;
    }
  }

  return {
    ready: opened.promise,
    get inFlight() {
      return inFlight;
    },
    get bytesInFlight() {
      return bytesInFlight;
    },
    get lastUsedMs() {
      return lastUsedMs;
    },
    send,
    close,
  };
}

function oddReply(): AppError {
  return connectionFailure(new Error('The reply is not its own'));
}

function closedFailure(): AppError {
  return connectionFailure(new Error('Connection is closed'));
}
