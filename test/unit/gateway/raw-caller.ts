/**
 * An HTTP/1.1 client on one kept connection that sends bytes as they are: several requests at once where
 * asked, and answers by nothing but their order. Cheap enough for a million requests.
 */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

export interface RawCaller {
  /** Sends requests in one write; rejects where the connection ends before all are answered. */
  send(...requests: readonly (string | Buffer)[]): Promise<RawAnswer[]>;
  close(): void;
}

interface Waiting {
  readonly wanted: number;
  readonly answers: RawAnswer[];
  resolve(answers: RawAnswer[]): void;
  reject(error: Error): void;
}

/** Nothing is connected before the first request, and again before the first after an end. */
export function createRawCaller(port: number): RawCaller {
  let socket: Socket | undefined;
  let waiting: Waiting | undefined;
  let rest: Buffer = Buffer.alloc(0);

  function end(error?: Error): void {
    socket?.destroy();
    socket = undefined;
    rest = Buffer.alloc(0);
    waiting?.reject(error ?? new Error('the connection ended'));
    waiting = undefined;
  }

  function open(): Socket {
    const opened = connect(port, '127.0.0.1').setNoDelay();
    const ifCurrent = (action: () => void) => () => {
      if (socket === opened) action();
    };
    opened.on('error', ifCurrent(end)).on('close', ifCurrent(end));
    opened.on('data', (chunk) => {
      if (socket !== opened) return;
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      readAnswers();
    });
    return opened;
  }

  function readAnswers(): void {
    for (;;) {
      const answer = readAnswer(rest);
      if (!answer) return;
      rest = rest.subarray(answer.bytes);
      if (!waiting) {
        end(new Error('an answer that nobody asked for'));
        return;
      }
      waiting.answers.push(answer);
      if (waiting.answers.length < waiting.wanted) continue;
      const { resolve, answers } = waiting;
      waiting = undefined;
      if (/^connection: close/im.test(answer.head)) end();
      if (rest.length > 0) end(new Error('an answer that nobody asked for'));
      resolve(answers);
    }
  }

  return {
    send(...requests) {
      if (waiting) throw new Error('one call at a time');
      socket ??= open();
      const whole = Buffer.concat(requests.map((request) => Buffer.from(request as Buffer)));
      return new Promise((resolve, reject) => {
        waiting = { wanted: requests.length, answers: [], resolve, reject };
        socket?.write(whole);
      });
    },
    close: () => end(),
  };
}

/** The first whole answer; undefined until its last byte is there. Every answer must tell its length. */
function readAnswer(bytes: Buffer): (RawAnswer & { bytes: number }) | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? Number.NaN);
  if (Number.isNaN(length)) throw new Error(`an answer without a length: ${head.split('\r\n')[0]}`);
  const end = headEnd + 4 + length;
  if (bytes.length < end) return undefined;
  const status = Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
  return { status, head, body: bytes.subarray(headEnd + 4, end), bytes: end };
}
