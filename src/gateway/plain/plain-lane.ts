/**
 * The lane of plain requests: connections are read here, beside node:http on the same server, for as long as
 * they bring nothing but plain requests of the gateway, one at a time (docs/decisions/0028).
 *
 * reading → answering → reading …, and from any of them to `over`: the first thing that is not plain
 * (plain-request.ts), a second request before the first one's answer, an answer that is not taken, a request
 * that does not arrive soon, a path that is not the gateway's hands the connection with all of its
 * unanswered bytes to node:http, for good.
 *
 * Guarantees: no byte is answered twice or lost; bytes are never divided between two requests; a connection
 * has one request under way; what waits here is bounded in bytes, pieces and time.
 */
import type { Socket } from 'node:net';
import { countedBytesMin } from '../unread.ts';
import { PlainAnswer } from './plain-answer.ts';
import { type PlainRequest, plainBytesMax, readPlainRequest } from './plain-request.ts';

/** A request that has begun is handed over after so many sweeps. */
const arrivingSweepsMax = 5;
/** Who sends byte by byte is handed over, too: every piece is looked at from the beginning. */
const piecesMax = 16;
/** Of all requests that have not arrived whole. */
const allArrivingBytesMax = 64 * 1024 * 1024;

export interface PlainLaneOptions {
  /** Begins to answer a request; false where it is not for this lane after all. */
  serve(request: PlainRequest & { readonly socket: Socket }, answer: PlainAnswer): boolean;
  /** Takes a connection over, whose unanswered bytes are to be read from it. */
  handOver(socket: Socket): void;
  /** Whether connections are kept after an answer; asked again and again. */
  isOpen(): boolean;
  /** An idle connection is closed after this. */
  readonly keepAliveMs: number;
  /** How often connections are looked at for what takes too long. */
  readonly sweepMs?: number;
}

export interface PlainLane {
  accept(socket: Socket): void;
  closeIdle(): void;
  /** Cuts what is left. */
  destroyAll(): void;
}

/** Makes the lane; it holds a timer while it has connections. */
export function createPlainLane(options: PlainLaneOptions): PlainLane {
  const { serve, handOver, isOpen, keepAliveMs, sweepMs = 1_000 } = options;
  const keepAliveSeconds = Math.trunc(keepAliveMs / 1_000);
  const idleSweepsMax = Math.ceil(keepAliveMs / sweepMs);
  const connections = new Set<PlainConnection>();
  let arrivingBytes = 0;
  let sweeping: NodeJS.Timeout | undefined;
  const lane: Lane = {
    readKeepAliveSeconds: () => (isOpen() ? keepAliveSeconds : undefined),
    serve,
    handOver,
    idleSweepsMax,
    leave(connection) {
      connections.delete(connection);
      if (connections.size > 0) return;
      clearInterval(sweeping);
      sweeping = undefined;
    },
    hasRoom(bytes) {
      arrivingBytes += bytes;
      return arrivingBytes <= allArrivingBytesMax;
    },
  };

  function sweep(): void {
    for (const connection of connections) connection.sweep();
  }

  return {
    accept(socket) {
      connections.add(new PlainConnection(socket, lane));
      sweeping ??= setInterval(sweep, sweepMs).unref();
    },
    closeIdle() {
      for (const connection of connections) connection.closeIdle();
    },
    destroyAll() {
      for (const connection of connections) connection.destroy();
    },
  };
}

/** What connections share. */
interface Lane extends Pick<PlainLaneOptions, 'serve' | 'handOver'> {
  /** Undefined where no more requests are taken. */
  readKeepAliveSeconds(): number | undefined;
  readonly idleSweepsMax: number;
  leave(connection: PlainConnection): void;
  /** Counts bytes that wait here, or, negative, that do no more. */
  hasRoom(bytes: number): boolean;
}

class PlainConnection {
  readonly #socket: Socket;
  readonly #lane: Lane;
  /** What has arrived and is not being answered. */
  #arrived: Buffer | undefined;
  #pieces = 0;
  #answer: PlainAnswer | undefined;
  #hasEnded = false;
  /** Sweeps since something arrived or was answered. */
  #sweeps = 0;

  constructor(socket: Socket, lane: Lane) {
    this.#socket = socket;
    this.#lane = lane;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
  }

  #onData = (bytes: Buffer): void => {
    const { writableLength } = this.#socket;
    const isWhole = this.#keep(bytes);
    this.#sweeps = 0;
    // Where something is under way its end decides; until then no more than this is read.
    if (this.#answer) {
      if (!isWhole) this.#socket.pause();
      return;
    }
    if (!isWhole || writableLength > 0) this.#handOver();
    else this.#read();
  };

  /** Adds to what has arrived; says whether there is room for more. */
  #keep(bytes: Buffer): boolean {
    const hasRoom = this.#lane.hasRoom(bytes.length);
    this.#arrived = this.#arrived ? Buffer.concat([this.#arrived, bytes]) : bytes;
    this.#pieces += 1;
    return hasRoom && this.#pieces <= piecesMax && this.#arrived.length <= plainBytesMax;
  }

  #take(): Buffer | undefined {
    const bytes = this.#arrived;
    if (bytes) this.#lane.hasRoom(-bytes.length);
    this.#arrived = undefined;
    this.#pieces = 0;
    return bytes;
  }

  #read(): void {
    const read = this.#arrived ? readPlainRequest(this.#arrived) : 'incomplete';
    if (read === 'incomplete') return;
    const { readKeepAliveSeconds } = this.#lane;
    if (read === 'other' || readKeepAliveSeconds() === undefined) {
      this.#handOver();
      return;
    }
    const socket = this.#socket;
    const answer = new PlainAnswer({ socket, readKeepAliveSeconds, onGiven: this.#onGiven });
    this.#answer = answer;
    // Before it is served: it may have been answered when `serve` returns.
    const bytes = this.#take();
    if (this.#lane.serve({ ...read, socket }, answer)) return;
    this.#answer = undefined;
    if (bytes) this.#keep(bytes);
    this.#handOver();
  }

  #onGiven = (isLast: boolean): void => {
    this.#answer = undefined;
    this.#sweeps = 0;
    if (isLast || this.#hasEnded) this.#socket.end();
    else if (this.#arrived) this.#handOver();
  };

  #handOver(): void {
    const socket = this.#socket;
    socket.off('data', this.#onData).off('end', this.#onEnd);
    socket.off('error', ignore).off('close', this.#onClose);
    this.#lane.leave(this);
    socket.pause();
    const bytes = this.#take();
    if (bytes) socket.unshift(bytes);
    this.#lane.handOver(socket);
    socket.resume();
  }

  #onEnd = (): void => {
    this.#hasEnded = true;
    // A request that breaks off has no answer; one that is under way still gets it, unless it waits.
    if (this.#answer) this.#answer.noteLeaving();
    else this.#socket.end();
  };

  #onClose = (): void => {
    this.#take();
    this.#lane.leave(this);
    this.#answer?.abandon();
  };

  /** Called again and again. */
  sweep(): void {
    // A large answer that is still being read has its own bounds (unread.ts).
    if (this.#answer || this.#socket.writableLength >= countedBytesMin) return;
    this.#sweeps += 1;
    if (this.#arrived && this.#sweeps > arrivingSweepsMax) this.#handOver();
    else if (this.#sweeps > this.#lane.idleSweepsMax) this.#socket.destroy();
  }

  closeIdle(): void {
    if (!this.#answer) this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function ignore(): void {}
