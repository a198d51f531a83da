/**
 * What an endpoint is: one object with its path, who may call it, what it takes and what it gives.
 *
 * Guarantees: a route says whether it is public (there is no default); its input is checked by the zod
 * schemas that its documentation is made from, before its handler runs; what a handler gives is sent as
 * JSON. routes/index.ts lists them; a test compares that list with the authorization table.
 */
import type { Readable } from 'node:stream';
import type { ParameterizedContext } from 'koa';
import type { z } from 'zod';
import type { Caller, Origin } from '../accounts/caller.ts';
import type { AccountThrottle } from '../accounts/throttle.ts';
import type { BackupPorts } from '../backups/services.ts';
import type { InstanceServices } from '../instances/services.ts';
import type { Fingerprint, Sealer } from '../lib/crypto.ts';
import type { ErrorCode } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { MetricsRefresher } from '../metrics/looks.ts';
import type { Site } from './authenticate-request.ts';
import type { EventStreams } from './event-streams.ts';

/** Where the redis:// door is, as clients are told. */
export interface ShownDoor {
  readonly host: string;
  readonly port: number;
  /** Undefined: no TLS. */
  readonly tlsPort: number | undefined;
  /** Whether connections without TLS are taken at `port`; where not, there is a `tlsPort`. */
  readonly takesPlain: boolean;
  /** The domain under which each instance has a host name of its own; undefined for none. */
  readonly domain: string | undefined;
}

export interface HttpServices extends InstanceServices, BackupPorts {
  readonly accountThrottle: AccountThrottle;
  readonly logger: Logger;
  readonly door: () => ShownDoor;
  readonly metrics: MetricsRefresher;
  /** Resolves when the service can do its work; rejects with why not. */
  readonly checkReady: () => Promise<void>;
  /** Seals answers that are kept for a repeated request. */
  readonly sealer: Sealer;
  readonly fingerprint: Fingerprint;
  readonly streams: EventStreams;
}

/** Who may call a route: anybody; any account key or session; only a person (session or personal key). */
export type Access = 'public' | 'account' | 'person';

/** What a handler may know of the request itself. */
export interface RequestFacts {
  readonly origin: Origin;
  /** The If-Match header. */
  readonly ifMatch: string | undefined;
  /** The secret of the session cookie, valid or not. */
  readonly sessionSecret: string | undefined;
  /** Whose page sent it, as far as a browser says so. */
  readonly site: Site;
  /** What this service is called in the request, for links to it: `https://cache.example.com`. */
  readonly baseUrl: string;
  /** The body of a route with an `upload`; to be read once. What is left of it ends with the connection. */
  readonly upload: () => Readable;
  /** Finds the caller once more, for an answer that goes on. @throws {AppError} where it is refused now. */
  authenticateAgain(): Promise<Caller>;
}

export interface RouteInput<Params, Query, Body, Who> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Who;
  readonly request: RequestFacts;
  readonly services: HttpServices;
}

/** What a handler gives: JSON, or a stream of the content type that its answer is documented with. */
export type RouteResult<Answer> = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
} & ({ readonly body: Answer } | { readonly stream: Readable });

/** An answer as it is documented. */
export interface DocumentedAnswer<Schema extends z.ZodType> {
  readonly description: string;
  readonly schema: Schema;
  /** The headers that this answer always has, beside those that every answer has. */
  readonly headers?: readonly ('Location' | 'ETag' | 'Retry-After' | 'Set-Cookie')[];
  /** What a stream is sent as; JSON where left out. */
  readonly contentType?: string;
}

export interface Upload {
  readonly contentType: string;
  readonly description: string;
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

interface RouteDefinition<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  A extends z.ZodType,
  Who extends Access,
> {
  readonly method: Method;
  /** The path with parameters in the router's form, e.g. `/api/v1/instances/:instanceId`. */
  readonly path: string;
  readonly access: Who;
  /** Its name in the OpenAPI document and in clients, e.g. `createInstance`; no other route has it. */
  readonly operationId: string;
  readonly summary: string;
  /** What the summary has no room for; Markdown. */
  readonly description?: string;
  /** What the audit log calls it when it is refused, e.g. `instance.create`; every change has one. */
  readonly action?: string;
  /** The errors of its own rules; those of its access, input and method are documented without. */
  readonly errors?: readonly ErrorCode[];
  /** A POST that may be sent twice as it is: an Idempotency-Key is of no meaning to it. */
  readonly isIdempotent?: boolean;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** What it takes in place of a body of JSON: bytes of this content type, described in words. */
  readonly upload?: Upload;
  /** Without a body, the request is taken as if it were `{}`. */
  readonly isBodyOptional?: boolean;
  /** The answer's schema by status; the first is the ordinary one. */
  readonly answers: Readonly<Record<number, DocumentedAnswer<A>>>;
  handle(
    input: RouteInput<
      z.output<P>,
      z.output<Q>,
      z.output<B>,
      Who extends 'public' ? undefined : Caller
    >,
  ): Promise<RouteResult<z.input<A>>>;
}

/** A route as the router and the documentation see it. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly access: Access;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly action?: string;
  readonly errors?: readonly ErrorCode[];
  readonly isIdempotent?: boolean;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly upload?: Upload;
  readonly isBodyOptional?: boolean;
  readonly answers: Readonly<Record<number, DocumentedAnswer<z.ZodType>>>;
  handle(input: RouteInput<unknown, unknown, unknown, unknown>): Promise<RouteResult<unknown>>;
}

/** Defines a route; the types of its handler follow from its schemas. */
export function defineRoute<
  A extends z.ZodType,
  Who extends Access,
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>(definition: RouteDefinition<P, Q, B, A, Who>): Route {
  return definition as unknown as Route;
}

/** Whether a request with an Idempotency-Key takes effect once on this route. */
export function takesIdempotencyKey({ method, isIdempotent }: Route): boolean {
  return method === 'post' && !isIdempotent;
}

/** What the middleware keeps of a request. */
export interface RequestState {
  requestId: string;
}

export type HttpContext = ParameterizedContext<RequestState>;
