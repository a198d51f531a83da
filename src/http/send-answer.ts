/** Sends what a handler gives; and writes it down first where it is kept for a repeated request. */
import type { HttpContext, HttpServices, Route, RouteResult } from './route.ts';

/** A JSON answer as it goes over the wire. */
export interface SentAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; undefined where the answer has no body. */
  readonly text: string | undefined;
}

/** A handler's result as it goes over the wire. A POST gives no streams. */
export function writeAnswer(result: RouteResult<unknown>): SentAnswer {
  const { status, headers = {} } = result;
  const body = 'body' in result ? result.body : undefined;
  return { status, headers, text: body === undefined ? undefined : JSON.stringify(body) };
}

type Sender = Pick<HttpServices, 'config'>;

/** Sends a handler's result. */
export function sendResult(
  context: HttpContext,
  sender: Sender,
  { answers }: Route,
  result: RouteResult<unknown>,
): void {
  if (!('stream' in result)) {
    sendAnswer(context, sender, writeAnswer(result));
    return;
  }
  const { status, headers = {}, stream } = result;
  context.status = status;
  context.set({ ...headers, 'Content-Type': answers[status]?.contentType ?? '' });
  context.body = stream;
}

/** Sends an answer. Where it leads to another path, that is named as callers reach it. */
export function sendAnswer(
  context: HttpContext,
  { config }: Sender,
  { status, headers, text }: SentAnswer,
): void {
  context.status = status;
  // What goes on has only just begun when its operation is named.
  if (status === 202 && headers.Location) context.set('Retry-After', '1');
  context.set({ ...headers });
  if (headers.Location) context.set('Location', `${config.pathPrefix}${headers.Location}`);
  if (text !== undefined) context.type = 'json';
  context.body = text;
}
