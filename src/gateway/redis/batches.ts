/** The requests that wait on one link, in the order in which their replies come: a queue of batches. */
import { type Frame, isErrorFrame } from './frames.ts';
import { isExpected } from './sentinels.ts';

/** One request's commands, written together. */
export interface Batch {
  /** The caller's own. */
  readonly commandCount: number;
  /** Those of sentinels included. */
  readonly replyCount: number;
  readonly bytes: number;
  /** By place: the reply that must come there, where it is a sentinel's. */
  readonly expected: readonly (string | undefined)[] | undefined;
  /** The link's own command, whose reply ends a doubt (doubt.ts). */
  readonly isProof: boolean;
  readonly resolve: (frames: Frame[]) => void;
  readonly reject: (reason: Error) => void;
  /** Its replies so far, without those of sentinels. */
  readonly frames: Frame[];
  frameBytes: number;
  repliesSeen: number;
  /** A sentinel of it was answered with an error, which says nothing of what the other replies are (doubt.ts). */
  isDoubtful: boolean;
  /** On the clock of performance.now(); 0 until written. */
  sentAtMs: number;
  next: Batch | undefined;
}

export type Acceptance = 'partial' | 'whole' | 'odd' | 'too large';

export interface BatchQueue {
  /** The one whose reply comes next. */
  readonly oldest: Batch | undefined;
  readonly hasUnsent: boolean;
  add(batch: Batch): void;
  /** Notes that all batches up to now were written. */
  markSent(atMs: number): void;
  /** Takes the oldest batch out. */
  shift(): void;
}

export function createBatch(
  options: Pick<Batch, 'commandCount' | 'replyCount' | 'bytes' | 'resolve' | 'reject'> &
    Partial<Pick<Batch, 'expected' | 'isProof'>>,
): Batch {
  const { commandCount, replyCount, bytes, expected, isProof = false, resolve, reject } = options;
  return {
    commandCount,
    replyCount,
    bytes,
    expected,
    isProof,
    resolve,
    reject,
    frames: [],
    frameBytes: 0,
    repliesSeen: 0,
    isDoubtful: false,
    sentAtMs: 0,
    next: undefined,
  };
}

/** Gives a reply to the batch it is for, and says what that makes of it. */
export function acceptReply(batch: Batch, frame: Frame, replyBytesMax: number): Acceptance {
  const expected = batch.expected?.[batch.repliesSeen];
  batch.repliesSeen += 1;
  if (expected === undefined) {
    batch.frames.push(frame);
    batch.frameBytes += frame.length;
    if (batch.frameBytes > replyBytesMax) return 'too large';
  } else if (isErrorFrame(frame)) batch.isDoubtful = true;
  else if (!isExpected(frame, expected)) return 'odd';
  return batch.repliesSeen === batch.replyCount ? 'whole' : 'partial';
}

/** Makes an empty queue. */
export function createBatchQueue(): BatchQueue {
  let oldest: Batch | undefined;
  let newest: Batch | undefined;
  let firstUnsent: Batch | undefined;
  return {
    get oldest() {
      return oldest;
    },
    get hasUnsent() {
      return firstUnsent !== undefined;
    },
    add(batch) {
      if (newest) newest.next = batch;
      else oldest = batch;
      newest = batch;
      firstUnsent ??= batch;
    },
    markSent(atMs) {
      for (let batch = firstUnsent; batch; batch = batch.next) batch.sentAtMs = atMs;
      firstUnsent = undefined;
    },
    shift() {
      const taken = oldest;
      if (!taken) return;
      if (taken === firstUnsent) firstUnsent = taken.next;
      oldest = taken.next;
      if (!oldest) newest = undefined;
      // Once the collector has moved one batch to its old objects, that one's `next` would keep every later
      // batch with all of its request alive until then, and move them, too: 15 ms of each 150 were that.
      taken.next = undefined;
    },
  };
}
