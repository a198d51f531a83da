/** The id of an HTTP request, which stands in its answer and in every log line about it. */
import { newId } from './ids.ts';

const acceptable = /^[\w.-]{1,64}$/;

/** Takes a caller's X-Request-Id where it is harmless, else makes one. */
export function takeRequestId(given: string | readonly string[] | undefined): string {
  return typeof given === 'string' && acceptable.test(given) ? given : newId('req');
}
