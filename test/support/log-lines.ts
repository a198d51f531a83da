import { Writable } from 'node:stream';
import { createLogger, type Logger, type LogLevel } from '../../src/lib/logger.ts';

/** A logger that keeps what it writes; `isTTY` makes it write readable lines. */
export function captureLog(
  level: LogLevel = 'debug',
  isTTY = false,
): { logger: Logger; text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return {
    logger: createLogger(level, Object.assign(stream, { isTTY })),
    text: () => chunks.join(''),
  };
}
