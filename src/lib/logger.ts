/**
 * The logger: pino, one JSON line an event, or short readable lines on a terminal.
 *
 * Guarantee: no secret reaches a line. Values under the names below are replaced, and any text that
 * looks like one of our keys, a password in a URL or an AUTH argument is masked before it is written.
 */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

const secretNames = [
  'password',
  'token',
  'secret',
  'key',
  'authorization',
  'plainTextKey',
  'masterKey',
  'passphrase',
];

// They are applied to whole lines of JSON: none may begin at a word's border (an escaped line break looks
// like a letter before it) nor reach past a quote.
const secretPatterns: readonly [RegExp, string][] = [
  [/(sk|sc)_live_[0-9A-Za-z]+/g, '$1_live_***'],
  [/(\w+:\/\/[^\s:/@"\\]*):[^\s@/"\\]+@/g, '$1:***@'],
  [/([?&](?:_token|password)=)[^&\s"\\]+/g, '$1***'],
];

/** Masks whatever in `text` looks like a key, a token parameter or a URL's password. */
export function maskSecrets(text: string): string {
  return secretPatterns.reduce((masked, [pattern, mask]) => masked.replace(pattern, mask), text);
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Makes the root logger; `stream` defaults to standard output, readable lines when it is a terminal. */
export function createLogger(
  level: LogLevel,
  stream: NodeJS.WritableStream & { isTTY?: boolean } = process.stdout,
): Logger {
  const redact = {
    paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
    censor: '***',
  };
  const destination = {
    write: (line: string): void => {
      readable.write(maskSecrets(line));
    },
  };
  const readable = stream.isTTY
    ? pretty({ destination: stream, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
    : stream;
  return pino({ level, redact, serializers: { err: pino.stdSerializers.err } }, destination);
}
