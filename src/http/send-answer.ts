/** Sends what a handler gives; and writes it down first where it is kept for a repeated request. */
import type { HttpContext, Route, RouteResult } from './route.ts';

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

/** Sends a handler's result. */
export function sendResult(
  context: HttpContext,
  { answers }: Route,
  result: RouteResult<unknown>,
): void {
  if (!('stream' in result)) {
    sendAnswer(context, writeAnswer(result));
    return;
  }
  const { status, headers = {}, stream } = result;
  context.status = status;
  context.set({ ...headers, 'Content-Type': answers[status]?.contentType ?? '' });
  context.body = stream;
}

/** Sends an answer. */
export function sendAnswer(context: HttpContext, { status, headers, text }: SentAnswer): void {
  context.status = status;
  // What goes on has only just begun when its operation is named.
  if (status === 202 && headers.Location) context.set('Retry-After', '1');
  context.set({ ...headers });
  if (text !== undefined) context.type = 'json';
  context.body = text;
}
