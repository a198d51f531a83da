/** How the demo says what it does: headings, calls and answers, steps; secrets are masked. */
import { maskSecrets } from '../src/lib/logger.ts';

const lineMax = 100;

export function heading(text: string): void {
  say(`\n── ${text} ${'─'.repeat(Math.max(0, 76 - text.length))}`);
}

export function say(text: string): void {
  process.stdout.write(`${maskSecrets(text)}\n`);
}

/** @throws {Error} where the demo did not see what it should. */
export function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the demo expected otherwise: ${what}`);
}

/** A fetch that says each call and its answer, but for those whose path is one of the quiet ones. */
export function createTellingFetch(quiet: RegExp): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    if (quiet.test(pathname)) return await fetch(request);
    const body = request.body ? await request.clone().text() : '';
    say(`${request.method} ${pathname}${search}`);
    if (body) say(body);
    const response = await fetch(request);
    const answer = (await response.clone().json()) as unknown;
    say(`→ ${response.status} ${writeAnswer(answer)}`);
    return response;
  };
}

/** On one line where it is short. */
function writeAnswer(answer: unknown): string {
  const line = JSON.stringify(answer);
  return line.length <= lineMax ? line : JSON.stringify(answer, null, 2);
}
