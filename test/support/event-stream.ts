/** A client of server-sent events that reads as they come. */
import type { ExecutionContext } from 'ava';

export interface SentEvent {
  readonly event: string;
  readonly id: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of any shape
  readonly data: any;
}

export interface OpenedStream {
  readonly status: number;
  readonly headers: Headers;
  /** The next event or comment (as its text); undefined once the stream has ended. */
  next(): Promise<SentEvent | string | undefined>;
  /** Everything up to the end. */
  rest(): Promise<(SentEvent | string)[]>;
  leave(): void;
}

/** Opens a stream; the client leaves with the test. */
export async function openStream(
  t: Pick<ExecutionContext, 'teardown'>,
  url: string,
  secret: string,
): Promise<OpenedStream> {
  const leaving = new AbortController();
  t.teardown(() => leaving.abort());
  const { status, headers, body } = await fetch(url, {
    headers: { Authorization: `Bearer ${secret}` },
    signal: leaving.signal,
  });
  const parts = readParts(body);
  const next: OpenedStream['next'] = async () => {
    const { value } = await parts.next();
    return value === undefined ? undefined : parsePart(value);
  };
  return {
    status,
    headers,
    next,
    async rest() {
      const all: (SentEvent | string)[] = [];
      for (let part = await next(); part !== undefined; part = await next()) all.push(part);
      return all;
    },
    leave: () => leaving.abort(),
  };
}

/** The parts of a stream, between its empty lines; one that was cut off is the last. */
export async function* readParts(
  body: ReadableStream<Uint8Array> | null,
): AsyncGenerator<string, void> {
  if (!body) return;
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    yield* parts;
  }
  if (text !== '') yield text;
}

function parsePart(part: string): SentEvent | string {
  if (part.startsWith(':')) return part;
  const fields = Object.fromEntries(
    part
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  return {
    event: fields.event ?? '',
    id: Number(fields.id),
    data: JSON.parse(fields.data ?? 'null'),
  };
}
