/**
 * The one error type of SwiftCache, and the catalogue of its codes.
 *
 * An AppError carries what a caller may read (code, status, message, field problems) apart from what
 * only the log may hold (detail, cause). Each surface (control API, gateway, redis:// door) has one
 * function that renders it; none of them ever sends `detail` or `cause`.
 *
 * Every code stands here once, with its status and what to do about it. docs/errors.md lists the same
 * codes, and a test compares the two.
 */

interface ErrorEntry {
  readonly status: number;
  readonly title: string;
  /** What the reader of the error can do next; one sentence. */
  readonly remedy: string;
}

export const errorCatalogue = {
  authentication_required: {
    status: 401,
    title: 'Authentication required',
    remedy: 'Send your account key as "Authorization: Bearer sk_live_…".',
  },
  invalid_authentication_token: {
    status: 401,
    title: 'Invalid authentication token',
    remedy: 'Check that the key is complete and was not deleted; account keys start with sk_live_.',
  },
  session_refused: {
    status: 403,
    title: "The request did not come from this service's own pages",
    remedy:
      'With a session cookie, send the Origin of this service; or use an account key instead.',
  },
  wrong_credentials: {
    status: 401,
    title: 'Wrong e-mail address or password',
    remedy: 'Check both; after several wrong tries wait as long as Retry-After says.',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    remedy: 'Ask an admin of the organization for a higher role, or use a key that has it.',
  },
  person_needed: {
    status: 403,
    title: 'Only a person can do this',
    remedy: 'Log in, or use a personal account key.',
  },
  sign_up_closed: {
    status: 403,
    title: 'Sign-up is not open',
    remedy: 'Ask an admin of your organization for an invitation.',
  },
  email_taken: {
    status: 409,
    title: 'There is an account with this e-mail address',
    remedy: 'Log in with it, or sign up with another address.',
  },
  invitation_invalid: {
    status: 404,
    title: 'The invitation is not valid',
    remedy: 'It was used, revoked or has expired, or is for another address: ask for a new one.',
  },
  last_owner: {
    status: 409,
    title: 'An organization needs an owner',
    remedy: 'Make somebody else an owner first.',
  },
  organization_not_empty: {
    status: 409,
    title: 'The organization still has instances',
    remedy: 'Delete its instances first and wait until they are gone.',
  },
  quota_exceeded: {
    status: 402,
    title: 'The plan does not allow more',
    remedy: 'Delete what is not needed, or ask the operator for a larger plan.',
  },
  plan_limit: {
    status: 403,
    title: 'The plan does not allow this',
    remedy: 'Stay within the limit named in "detail", or ask the operator for a larger plan.',
  },
  too_many_keys: {
    status: 409,
    title: 'The instance has as many API keys as it can have',
    remedy: 'Unbind or delete a key of the instance first.',
  },
  too_many_operations: {
    status: 429,
    title: 'Too many operations at once',
    remedy: 'Wait until one of the operations under way has ended.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    remedy: 'Wait as long as the Retry-After header says.',
  },
  region_full: {
    status: 503,
    title: 'The region has no room for this',
    remedy: 'Ask for less memory, or ask the operator to add some.',
  },
  memory_in_use: {
    status: 409,
    title: 'More memory is in use than asked for',
    remedy: 'Delete keys first, or choose an eviction policy that makes room.',
  },
  deletion_protected: {
    status: 409,
    title: 'The instance is protected against deletion',
    remedy: 'PATCH it with "deletionProtection": false first.',
  },
  changed_meanwhile: {
    status: 412,
    title: 'It was changed meanwhile',
    remedy: 'Read it again and repeat the change with its new ETag.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    remedy: 'Use a new key for every new request.',
  },
  idempotency_in_flight: {
    status: 409,
    title: 'The request with this Idempotency-Key has not ended',
    remedy: 'Try again in a moment; if it stays, look whether the first request took effect.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    remedy: 'Check the id; what belongs to another organization is reported the same way.',
  },
  route_not_found: {
    status: 404,
    title: 'No such endpoint',
    remedy: 'See /openapi.json for the endpoints of this service.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    remedy: 'The Allow header names the methods this endpoint takes.',
  },
  invalid_request: {
    status: 400,
    title: 'The request is not valid',
    remedy: 'Correct the fields named in "errors" and send it again.',
  },
  invalid_json: {
    status: 400,
    title: 'The body is not valid JSON',
    remedy: 'Send one JSON object, UTF-8 encoded.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    remedy: 'Send a smaller body; the limit is in "detail".',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported content type',
    remedy: 'Send the body as application/json.',
  },
  state_conflict: {
    status: 409,
    title: 'The instance is in the wrong state for this',
    remedy: 'Read the instance, wait until its operation has ended, and try again.',
  },
  data_volume_missing: {
    status: 409,
    title: 'The data of the instance is lost',
    remedy:
      'Restore a backup, or POST …/retry with {"acceptDataLoss": true} to go on with an empty volume.',
  },
  drift_returns: {
    status: 409,
    title: 'The instance is changed again and again past the service',
    remedy: 'Find what changes it; it is repaired again by itself, or by POST …/retry.',
  },
  no_free_port: {
    status: 503,
    title: 'No free instance port',
    remedy: 'Delete an instance, or ask the operator to widen SWIFTCACHE_INSTANCE_PORTS.',
  },
  shutting_down: {
    status: 503,
    title: 'The service is shutting down',
    remedy: 'Send the request again in a few seconds.',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    remedy: 'Try again; if it stays, give the operator the request id.',
  },
  docker_unreachable: {
    status: 503,
    title: 'Docker cannot be reached',
    remedy: 'Start the Docker daemon of the region, then POST …/retry.',
  },
  image_missing: {
    status: 503,
    title: 'The Redis image is not there',
    remedy: 'Run "npm run setup" on the Docker host to build or pull it, then POST …/retry.',
  },
  port_in_use: {
    status: 503,
    title: 'The port of the instance is taken by another program',
    remedy: 'POST …/retry: the instance gets another port.',
  },
  backup_unusable: {
    status: 409,
    title: 'The backup cannot be restored here',
    remedy: 'Choose one that is AVAILABLE, and give the instance the memory that its data needs.',
  },
  backup_invalid: {
    status: 422,
    title: 'The backup is no RDB file that Redis can load',
    remedy: 'Take or import another; one of a newer Redis needs an instance of that version.',
  },
  backup_failed: {
    status: 500,
    title: 'The backup could not be taken',
    remedy: 'Take another; the operator finds the cause in the log under the id of the backup.',
  },
  backup_store_unreachable: {
    status: 503,
    title: 'The backup store cannot be reached',
    remedy: 'Try again in a moment; the operator looks at SWIFTCACHE_BACKUP_URL and at the store.',
  },
  policy_violation: {
    status: 403,
    title: 'A policy refused the instance',
    remedy: 'Read which rule in the message; the operator keeps the rules in policies/.',
  },
  stack_locked: {
    status: 503,
    title: "An operator works on the instance's stack",
    remedy: 'Wait until that run has ended; after a crash of it the operator runs "pulumi cancel".',
  },
  instance_loading: {
    status: 504,
    title: 'Redis is still reading or writing its data',
    remedy: 'POST …/retry; if it stays, the operator should look at the disk of the Docker host.',
  },
  provisioning_timeout: {
    status: 504,
    title: 'Provisioning took too long',
    remedy: 'POST …/retry; if it stays, the operator should look at the load of the Docker host.',
  },
  provisioning_failed: {
    status: 500,
    title: 'Provisioning failed',
    remedy: 'POST …/retry; the operator finds the cause in the log under the operation id.',
  },
  instance_unreachable: {
    status: 503,
    title: 'The instance does not answer',
    remedy: 'Try again in a moment; if it stays, the operator should look at its container.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

/** One problem of one field; `pointer` is a JSON Pointer (RFC 6901) into the body, or a query name. */
export interface FieldProblem {
  readonly pointer: string;
  readonly detail: string;
}

interface AppErrorOptions {
  /** For the log only: may name paths and internals, never a secret. */
  readonly detail?: string;
  readonly cause?: unknown;
  readonly fields?: readonly FieldProblem[];
  readonly headers?: Readonly<Record<string, string>>;
  /** The limit in question, with its use. */
  readonly limit?: LimitFacts;
  /** The organization whose audit log notes the refusal. */
  readonly organizationId?: string;
}

/** A limit that a request would have passed; for sizes in bytes, the name says so. */
export interface LimitFacts {
  readonly name: string;
  readonly limit: number;
  readonly used: number;
  readonly requested: number;
}

/** An error with a code of the catalogue; `message` is safe to send to the caller. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly remedy: string;
  readonly detail: string | undefined;
  readonly fields: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;
  readonly limit: LimitFacts | undefined;
  readonly organizationId: string | undefined;

  /** @param message what the caller reads; the catalogue's title where left out. */
  constructor(code: ErrorCode, message?: string, options: AppErrorOptions = {}) {
    const entry = errorCatalogue[code];
    super(message ?? entry.title, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.status = entry.status;
    this.title = entry.title;
    this.remedy = entry.remedy;
    this.detail = options.detail;
    this.fields = options.fields ?? [];
    this.headers = options.headers ?? {};
    this.limit = options.limit;
    this.organizationId = options.organizationId;
  }
}

/** Takes anything thrown and gives an AppError: unknown things become `internal_error`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new AppError('internal_error', undefined, { cause, detail: cause.message });
}
