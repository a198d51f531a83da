/** Which errors a route can answer, and how each is shown. */
import { type ErrorCode, errorCatalogue } from '../../lib/errors.ts';
import { errorDocumentation } from '../render-error.ts';
import { type Route, takesIdempotencyKey } from '../route.ts';

/** The codes that a route can answer with, beside faults of the service itself. */
export function codesOf(route: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>(route.errors);
  const add = (holds: boolean, ...more: ErrorCode[]): void => {
    if (holds) for (const code of more) codes.add(code);
  };
  const { access, method, path, params, query, body, upload } = route;
  const isChange = method !== 'get';
  const isKnownCaller = access !== 'public';
  const isRepeatable = takesIdempotencyKey(route);
  add(Boolean(params || query || body) || isRepeatable, 'invalid_request');
  add(Boolean(body), 'invalid_json', 'body_too_large', 'unsupported_media_type');
  add(Boolean(upload), 'body_too_large', 'unsupported_media_type');
  add(isKnownCaller, 'authentication_required', 'invalid_authentication_token', 'forbidden');
  add(isKnownCaller && Boolean(params || query || body), 'not_found');
  add(isKnownCaller && isChange, 'session_refused');
  add(access === 'person', 'person_needed');
  add(isRepeatable, 'idempotency_key_reused', 'idempotency_in_flight');
  add(path.startsWith('/api/'), 'rate_limited');
  return [...codes].sort();
}

/** The answers for some codes: one a status, with an example for each code. */
export function describeProblems(codes: readonly ErrorCode[]): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = errorCatalogue[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const entries = [...byStatus].sort(([one], [other]) => one - other);
  return Object.fromEntries(
    entries.map(([status, ofStatus]) => [String(status), describeStatus(ofStatus)]),
  );
}

function describeStatus(codes: readonly ErrorCode[]): object {
  const lines = codes.map((code) => `\`${code}\`: ${errorCatalogue[code].title}.`);
  const examples = codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]);
  return {
    description: lines.join('\n\n'),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(examples),
      },
    },
  };
}

/** An example of the problem document for each code. */
export function problemExamples(codes: Iterable<ErrorCode>): Record<string, object> {
  const entries = [...codes].sort().map((code) => {
    const { status, title, remedy } = errorCatalogue[code];
    const value = {
      type: `${errorDocumentation}#${code}`,
      title,
      status,
      detail: title,
      error: title,
      code,
      remedy,
      requestId: 'req_w4tts3zejuwk6qlt',
      ...(code === 'invalid_request' && {
        detail: 'Not valid: /name.',
        errors: [{ pointer: '/name', detail: 'must not be empty' }],
      }),
      ...(code === 'quota_exceeded' && {
        detail: 'The plan allows 3 instances; 3 are in use, 1 more were asked for.',
        limit: { name: 'instances', limit: 3, used: 3, requested: 1 },
      }),
    };
    return [code, { summary: title, value }];
  });
  return Object.fromEntries(entries);
}
