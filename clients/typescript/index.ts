/**
 * The typed client of SwiftCache's API: openapi-fetch, with types made from the service's own OpenAPI
 * document (schema.ts).
 *
 * Calls give what the answer holds and throw a SwiftCacheError for every problem, so no result has to be
 * looked at twice. Nothing is sent a second time: give POST requests an `Idempotency-Key` and repeat them
 * yourself.
 */
import createOpenApiClient, {
  type FetchResponse,
  type MaybeOptionalInit,
  type Middleware,
} from 'openapi-fetch';
import type { components, paths } from './schema.ts';

/** The shapes of the API by their names, e.g. `Schemas['Instance']`. */
export type Schemas = components['schemas'];

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type PathsWith<M extends Method> = {
  [Path in keyof paths]: paths[Path] extends Record<M, object> ? Path : never;
}[keyof paths];

type Init<Path extends keyof paths, M extends Method> = MaybeOptionalInit<
  paths[Path],
  M & keyof paths[Path]
>;
type Data<Path extends keyof paths, M extends Method> = NonNullable<
  FetchResponse<Extract<paths[Path][M], object>, object, `${string}/${string}`>['data']
>;

/** Calls a path of the API by one method; gives the body of the answer. @throws {SwiftCacheError} */
type Call<M extends Method> = <Path extends PathsWith<M>>(
  path: Path,
  ...init: undefined extends Init<Path, M> ? [init?: Init<Path, M>] : [init: Init<Path, M>]
) => Promise<Data<Path, M>>;

export interface SwiftCacheClient {
  readonly get: Call<'get'>;
  readonly post: Call<'post'>;
  readonly put: Call<'put'>;
  readonly patch: Call<'patch'>;
  readonly delete: Call<'delete'>;
}

export interface ClientOptions {
  /** Where the service is, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  /** An account key, `sk_live_…`; for commands under /redis a data key, `sc_live_…`. */
  readonly token?: string;
  /** Instead of the global fetch. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** Makes a client; nothing is sent before the first call. */
export function createSwiftCacheClient({ url, token, fetch }: ClientOptions): SwiftCacheClient {
  const client = createOpenApiClient<paths>({
    baseUrl: url,
    ...(fetch && { fetch }),
    ...(token !== undefined && { headers: { Authorization: `Bearer ${token}` } }),
  });
  client.use(throwProblems);
  const call = (method: Uppercase<Method>): unknown => {
    const send = client[method] as (path: string, init?: object) => Promise<{ data?: unknown }>;
    return async (path: string, init?: object) => (await send(path, init)).data;
  };
  return {
    get: call('GET'),
    post: call('POST'),
    put: call('PUT'),
    patch: call('PATCH'),
    delete: call('DELETE'),
  } as SwiftCacheClient;
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly error?: string;
  readonly remedy?: string;
  readonly requestId?: string;
  readonly errors?: Schemas['Problem']['errors'];
  readonly limit?: Schemas['Problem']['limit'];
}

/** What the service answered instead of what was asked for, or why an operation failed. */
export class SwiftCacheError extends Error {
  /** The HTTP status; undefined where an operation failed or took too long. */
  readonly status: number | undefined;
  /** Stable: act on it, not on the message. Undefined for an error of a command. */
  readonly code: string | undefined;
  readonly remedy: string | undefined;
  /** Leads the operator to the log line. */
  readonly requestId: string | undefined;
  /** The fields in question, by JSON Pointer. */
  readonly fields: NonNullable<Problem['errors']>;
  readonly limit: Problem['limit'];

  constructor(status: number | undefined, problem: Problem) {
    super(problem.detail ?? problem.error ?? `the service answered ${status}`);
    this.name = 'SwiftCacheError';
    this.status = status;
    this.code = problem.code;
    this.remedy = problem.remedy;
    this.requestId = problem.requestId;
    this.fields = problem.errors ?? [];
    this.limit = problem.limit;
  }
}

const throwProblems: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return;
    const requestId = response.headers.get('X-Request-Id') ?? undefined;
    const problem = (await response.json().catch(() => ({}))) as Problem;
    throw new SwiftCacheError(response.status, { ...(requestId && { requestId }), ...problem });
  },
};

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly pollMs?: number;
  /** Is told the operation each time it was read. */
  readonly onProgress?: (operation: Schemas['Operation']) => void;
}

/**
 * Waits until an operation has ended, and gives it.
 * @throws {SwiftCacheError} with the operation's error where it failed; `operation_superseded` where
 * another change took its place; `wait_timeout` where it has not ended within `timeoutMs` (2 minutes).
 */
export async function waitForOperation(
  client: SwiftCacheClient,
  operationId: string,
  { timeoutMs = 120_000, pollMs = 200, onProgress }: WaitOptions = {},
): Promise<Schemas['Operation']> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const { operation } = await client.get('/api/v1/operations/{operationId}', {
      params: { path: { operationId } },
    });
    onProgress?.(operation);
    if (operation.finishedAt) return requireSuccess(operation);
    if (performance.now() > deadlineMs) {
      const detail = `Operation ${operationId} has not ended within ${timeoutMs} ms.`;
      throw new SwiftCacheError(undefined, { code: 'wait_timeout', detail });
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function requireSuccess(operation: Schemas['Operation']): Schemas['Operation'] {
  const { id, status, error } = operation;
  if (status === 'SUCCEEDED') return operation;
  const detail = error?.message ?? `Operation ${id} is ${status}.`;
  const code = error?.code ?? `operation_${status.toLowerCase()}`;
  throw new SwiftCacheError(undefined, { ...error, code, detail });
}
