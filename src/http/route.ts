/**
 * What an endpoint is: one object with its path, who may call it, what it takes and what it gives.
 *
 * Guarantees: a route says whether it is public (there is no default); its input is checked by the zod
 * schemas that its documentation is made from, before its handler runs; what a handler gives is sent as
 * JSON. routes/index.ts lists them; a test compares that list with the authorization table.
 */
import type { ParameterizedContext } from 'koa';
import type { z } from 'zod';
import type { Caller } from '../accounts/account-keys.ts';
import type { InstanceServices } from '../instances/services.ts';
import type { Logger } from '../lib/logger.ts';

export interface HttpServices extends InstanceServices {
  readonly logger: Logger;
  /** The host and port of the redis:// door, as clients are told. */
  readonly door: () => { readonly host: string; readonly port: number };
  /** Resolves when the service can do its work; rejects with why not. */
  readonly checkReady: () => Promise<void>;
}

export interface RouteInput<Params, Query, Body, Who> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Who;
  readonly services: HttpServices;
}

export interface RouteResult<Answer> {
  readonly status: number;
  readonly body: Answer;
  readonly headers?: Readonly<Record<string, string>>;
}

type Method = 'get' | 'post' | 'patch' | 'delete';

interface RouteDefinition<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  A extends z.ZodType,
  Access extends 'public' | 'account',
> {
  readonly method: Method;
  /** The path with parameters in the router's form, e.g. `/api/v1/instances/:instanceId`. */
  readonly path: string;
  /** `public`: anybody; `account`: an account key. */
  readonly access: Access;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** The answer's schema by status; the first is the ordinary one. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema: A }>>;
  handle(
    input: RouteInput<
      z.output<P>,
      z.output<Q>,
      z.output<B>,
      Access extends 'account' ? Caller : undefined
    >,
  ): Promise<RouteResult<z.input<A>>>;
}

/** A route as the router and the documentation see it. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly access: 'public' | 'account';
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema: z.ZodType }>
  >;
  handle(input: RouteInput<unknown, unknown, unknown, unknown>): Promise<RouteResult<unknown>>;
}

/** Defines a route; the types of its handler follow from its schemas. */
export function defineRoute<
  A extends z.ZodType,
  Access extends 'public' | 'account',
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>(definition: RouteDefinition<P, Q, B, A, Access>): Route {
  return definition as unknown as Route;
}

/** What the middleware keeps of a request. */
export interface RequestState {
  requestId: string;
}

export type HttpContext = ParameterizedContext<RequestState>;
