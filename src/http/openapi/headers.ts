/** The headers that requests may have and answers have, described once. */
import { type DocumentedAnswer, type Route, takesIdempotencyKey } from '../route.ts';

type HeaderName = NonNullable<DocumentedAnswer<never>['headers']>[number];

/**
 * What requests may bring, by the name of the component. Without examples: the API page would send them
 * with every request, and an Idempotency-Key is for one.
 */
export const requestHeaders = {
  RequestId: {
    name: 'X-Request-Id',
    in: 'header',
    description:
      'A name of your own for the request: 1 to 64 letters, digits, `_`, `-` and `.`. ' +
      'Any other is replaced.',
    schema: { type: 'string' },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'A value that no other request has, e.g. a UUID. Sent again with the same request, within 24 hours, ' +
      'it gives the first answer once more and changes nothing.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'The ETag that the change was made from; where it has another by now, 412.',
    schema: { type: 'string' },
  },
} as const;

const text = (description: string, example: string): object => ({
  description,
  schema: { type: 'string' },
  example,
});

/** What answers have, by the name of the header. */
export const answerHeaders: Readonly<Record<string, object>> = {
  'X-Request-Id': {
    ...text('The name of the request, as in the log.', 'req_w4tts3zejuwk6qlt'),
    required: true,
  },
  'RateLimit-Policy': text(
    "The caller's quota `q` of requests in a window of `w` seconds.",
    '"default";q=300;w=60',
  ),
  RateLimit: text('What is left of it, `r`, for `t` seconds.', '"default";r=299;t=60'),
  'Retry-After': {
    description: 'Ask again after so many seconds.',
    schema: { type: 'integer', minimum: 0 },
    example: 1,
  },
  'Idempotent-Replayed': {
    description: 'There where the answer is that of an earlier request.',
    schema: { type: 'string', enum: ['true'] },
    example: 'true',
  },
  Location: text('Where to find it, or to follow what goes on.', '/api/v1/operations/op_k2v7'),
  ETag: text('The version; send it as If-Match with a change.', '"2nd7x9Jm0CqYbW1hZs8aFg"'),
  'Set-Cookie': text('The session of who has logged in.', '__Host-swiftcache-session=…; Secure'),
  'WWW-Authenticate': text('How to authenticate.', 'Bearer realm="swiftcache"'),
};

/** The parameters in a request's headers. */
export function describeRequestHeaders(route: Route): object[] {
  const { path, errors } = route;
  const names = [
    ...(path.startsWith('/api/') ? ['RequestId'] : []),
    ...(takesIdempotencyKey(route) ? ['IdempotencyKey'] : []),
    ...(errors?.includes('changed_meanwhile') ? ['IfMatch'] : []),
  ];
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

/** The headers of an answer, good or bad. */
export function describeAnswerHeaders(
  route: Route,
  status: number,
  own: readonly HeaderName[] = [],
): Record<string, object> {
  const isApi = route.path.startsWith('/api/');
  const names = new Set<string>(['X-Request-Id', ...own]);
  // Every answer of the API has these; to list them at every error would only make it longer.
  if (isApi && (status < 300 || status === 429)) names.add('RateLimit-Policy').add('RateLimit');
  if (takesIdempotencyKey(route) && status < 300) names.add('Idempotent-Replayed');
  if (status === 401) names.add('WWW-Authenticate');
  if ([202, 409, 429, 503].includes(status)) names.add('Retry-After');
  return Object.fromEntries(
    [...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}
