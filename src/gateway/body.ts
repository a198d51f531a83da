/**
 * The bodies of requests, read whole.
 *
 * Guarantees: none is larger than its bound, and all that are being read at once no larger than theirs;
 * what is refused is not kept, and read on only to throw it away, or the connection's next request would
 * wait for ever; a sender that goes away leaves nothing behind. How long a body may take is bounded where
 * the server is made (boundBodies).
 */
import type { IncomingMessage } from 'node:http';
import { AppError } from '../lib/errors.ts';
import { badRequest, tooBusy } from './failures.ts';

/** Of all bodies together that have not arrived whole. */
const allArrivingBytesMax = 256 * 1024 * 1024;

export interface BodyReader {
  /**
   * Reads the body of a request whose listeners nobody has set yet; its sender may have gone meanwhile.
   * @throws {AppError} `body_too_large`, `invalid_request` where it breaks off, `instance_unreachable`
   * where too many others are on their way.
   */
  read(request: IncomingMessage): Promise<Buffer>;
}

/**
 * Makes a reader.
 * @param bodyBytesMax the largest body.
 * @param arrivingBytesMax the bytes of all that are being read at one time.
 */
export function createBodyReader(
  bodyBytesMax: number,
  arrivingBytesMax: number = allArrivingBytesMax,
): BodyReader {
  let arrivingBytes = 0;

  function read(request: IncomingMessage): Promise<Buffer> {
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > bodyBytesMax) return Promise.reject(refuse(request, tooLarge(bodyBytesMax)));
    // It has told of its end already, and tells nothing more.
    if (request.destroyed) return Promise.reject(brokenOff());
    return new Promise((resolve, reject) => {
      // Nearly every body comes in one piece, which is then taken as it is.
      let first: Buffer | undefined;
      let further: Buffer[] | undefined;
      let bytes = 0;

      function onData(chunk: Buffer): void {
        bytes += chunk.length;
        arrivingBytes += chunk.length;
        if (bytes > bodyBytesMax) fail(tooLarge(bodyBytesMax));
        else if (arrivingBytes > arrivingBytesMax) fail(tooBusy(tooManyBytes));
        else if (!first) first = chunk;
        else if (further) further.push(chunk);
        else further = [first, chunk];
      }
      function onEnd(): void {
        settle();
        resolve(further ? Buffer.concat(further, bytes) : (first ?? empty));
      }
      function onClose(): void {
        fail(brokenOff());
      }
      function fail(error: AppError): void {
        settle();
        reject(refuse(request, error));
      }
      function settle(): void {
        arrivingBytes -= bytes;
        request.off('data', onData).off('end', onEnd).off('close', onClose);
      }

      // A connection that breaks off tells of an error before it closes.
      request.on('error', ignore);
      request.on('data', onData).on('end', onEnd).on('close', onClose);
    });
  }

  return { read };
}

const empty = Buffer.alloc(0);
const tooManyBytes = 'The gateway is receiving too much at once';

function ignore(): void {}

function brokenOff(): AppError {
  return badRequest('The body did not arrive whole');
}

function tooLarge(bytesMax: number): AppError {
  return new AppError('body_too_large', `The body is larger than ${bytesMax} bytes`);
}

/** What was not read is read and thrown away. */
function refuse(request: IncomingMessage, error: AppError): AppError {
  request.resume();
  return error;
}
