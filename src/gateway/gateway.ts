/**
 * The gateway: Redis commands over HTTP, under /redis/{instance id}.
 *
 * A request comes in by front.ts, is taken apart (parse.ts), its key checked (authorize.ts), counted against
 * its rates (limits.ts), its body read (body.ts); its commands run as the key's own ACL user, each where its
 * class allows (execute.ts, streams.ts), and Redis's replies are written as JSON straight from their bytes
 * (encode.ts, reply-answer.ts).
 *
 * Guarantees:
 * - What a key may do is decided by Redis alone; the gateway only decides which instances a key opens, once
 *   more when a body has arrived.
 * - No connection is shared between two keys or two instances, and none that is shared carries a command that
 *   leaves state behind, blocks it, or shifts replies; one that behaves oddly is dropped.
 * - Nothing that may have run is sent to Redis a second time.
 * - A deleted key or instance is refused at once where dropKey or dropInstance is called, and within 1 s
 *   everywhere else, in open streams too. "Not yours" and "not there" are the same bytes.
 * - Bad input is a 4xx in words its sender can act on. No secret, argument, value, path or stack is in
 *   an answer or a log line.
 * - Bodies, unread answers, connections, commands in flight and all waiting times are bounded.
 * - While what is known of a key is fresh and its link is open, a request without a body is on its way to
 *   Redis before `handle` returns: nothing is awaited, no database asked.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { servesData } from '../instances/states.ts';
import type { KeyPorts } from '../keys/ports.ts';
import { createLimits } from '../keys/rates/limits.ts';
import { systemClock } from '../lib/clock.ts';
import { AppError } from '../lib/errors.ts';
import { idPattern } from '../lib/ids.ts';
import type { Logger } from '../lib/logger.ts';
import { type Answer, asStreams, type Exchange, type Incoming, type Outgoing } from './answer.ts';
import { createAuthorizer, type Grant } from './authorize.ts';
import { createBodyReader } from './body.ts';
import { encodeFailure } from './encode.ts';
import { type Execution, executeCommand, executePipeline } from './execute.ts';
import { describeFailure, instanceNotFound, instanceNotRunning, tooBusy } from './failures.ts';
import { createFront, type FrontSettings } from './front.ts';
import { createObserver, type Figures } from './observe.ts';
import { parseCommand, parsePipeline, splitTarget, type Target } from './parse.ts';
import { defaultLinkBounds, type LinkBounds } from './redis/bounds.ts';
import { createLinks } from './redis/links.ts';
import { readReplyFormat } from './reply-format.ts';
import { isStream } from './stream-source.ts';
import { createStreams } from './streams.ts';
import { executeTransaction } from './transaction.ts';
import { createUnread, type UnreadBounds } from './unread.ts';

/** How long a stop waits for what is under way. */
const closeTimeoutMs = 5_000;
const instanceIdPattern = idPattern('inst');

export interface GatewaySettings extends FrontSettings {
  readonly bodyBytesMax: number;
  readonly pipelineCommandsMax: number;
}

export interface GatewayDeps {
  readonly ports: KeyPorts;
  readonly logger: Logger;
  readonly settings: GatewaySettings;
  readonly bounds?: Partial<LinkBounds>;
  readonly unreadBounds?: UnreadBounds | undefined;
}

export interface Gateway {
  /** Answers a request whose path is under /redis/. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Answers a request that the plain lane has read; false where it needs node:http, and nothing was done.
   */
  handlePlain(request: Incoming, response: Outgoing): boolean;
  /** What it has counted since it was made, and how much is open now. */
  readFigures(): Figures;
  /** Forgets what is known of an instance and closes its connections: it was changed or deleted. */
  dropInstance(instanceId: string): void;
  /**
   * Forgets what is known of a key and closes its connections (to one instance, where one is named): it was
   * changed, unbound or deleted.
   */
  dropKey(keyId: string, instanceId?: string): void;
  /** Ends streams, answers what is under way, closes every connection; resolves when nothing is left. */
  close(): Promise<void>;
}

/** Makes the gateway; nothing is connected before the first request. */
export function createGateway(deps: GatewayDeps): Gateway {
  const { ports, logger, settings, bounds, unreadBounds } = deps;
  const { findPrincipal, findLostWays, keyUsage } = ports;
  const clock = systemClock;
  const authorizer = createAuthorizer({ findPrincipal, clock });
  const limits = createLimits(ports.rates);
  const bodies = createBodyReader(settings.bodyBytesMax);
  const links = createLinks({ ...defaultLinkBounds, ...bounds });
  const streams = createStreams({ links, clock, logger, findLostWays });
  const unread = createUnread(unreadBounds);
  const stopping = new AbortController();

  /** Gives the grant at once where what is known of the key is fresh. */
  function authorize(exchange: Exchange, target: Target): Grant | Promise<Grant> {
    const { address, request } = exchange;
    const { authorization } = request.headers;
    const grant = authorizer.authorize(target, { authorization, address });
    return grant instanceof Promise
      ? grant.then((known) => useGrant(exchange, known))
      : useGrant(exchange, grant);
  }

  function useGrant({ trace }: Exchange, grant: Grant): Grant {
    trace.keyId = grant.key.id;
    if (!servesData(grant.instance.status)) throw instanceNotRunning(grant.instance.status);
    if (unread.isOver(grant.key.id)) throw tooBusy('Too many large answers have not been read yet');
    return grant;
  }

  /** Gives a promise only where a rate's points have to be asked for elsewhere. */
  function admit(exchange: Exchange, grant: Grant, cost: number): Promise<void> | undefined {
    const { trace } = exchange;
    const admitted = limits.admit(grant, cost);
    if (admitted instanceof Promise) {
      return admitted.then((headers) => {
        trace.headers = headers;
      });
    }
    trace.headers = admitted;
    return undefined;
  }

  /** Not async, and neither is what it hands on to: each would be one more turn of promises for a request. */
  function serve(exchange: Exchange): Promise<Answer | undefined> {
    const { target, trace } = exchange;
    if (!target) throw instanceNotFound();
    // What is no id may be anything, e.g. a value gone astray.
    if (instanceIdPattern.test(target.instanceId)) trace.instanceId = target.instanceId;
    const granting = authorize(exchange, target);
    if (!(granting instanceof Promise)) return serveGranted(exchange, target, granting);
    return granting.then((grant) => serveGranted(exchange, target, grant));
  }

  function serveGranted(
    exchange: Exchange,
    target: Target,
    grant: Grant,
  ): Promise<Answer | undefined> {
    const { method } = exchange.request;
    keyUsage.touchKey(grant.key.id);
    if (isStream(target.kind)) return serveStream(exchange, target, grant);
    if (method === 'POST' || method === 'PUT') return serveBody(exchange, target, grant);
    return run(exchange, target, grant, undefined);
  }

  function serveBody(exchange: Exchange, target: Target, grant: Grant): Promise<Answer> {
    const { body } = exchange.request;
    // Who may not run anything now need not send all of it, nor is it parsed.
    const admitting = admit(exchange, grant, 0);
    if (body && !admitting) return run(exchange, target, grant, body);
    return readAndRun(exchange, target, admitting);
  }

  async function readAndRun(
    exchange: Exchange,
    target: Target,
    admitting: Promise<void> | undefined,
  ): Promise<Answer> {
    await admitting;
    const body = exchange.request.body ?? (await bodies.read(asStreams(exchange).request));
    // A body may take its time: what has changed of the key meanwhile holds for its command.
    return await run(exchange, target, await authorize(exchange, target), body);
  }

  async function serveStream(exchange: Exchange, target: Target, grant: Grant): Promise<undefined> {
    // Upstash's clients send a body that says nothing.
    asStreams(exchange).request.resume();
    exchange.trace.command = target.kind.toUpperCase();
    await admit(exchange, grant, 1);
    await streams.serve(exchange, grant, target, async () => await authorize(exchange, target));
  }

  function run(
    exchange: Exchange,
    target: Target,
    grant: Grant,
    body: Buffer | undefined,
  ): Promise<Answer> {
    const { request, response, trace } = exchange;
    const { kind } = target;
    const format = readReplyFormat(request.headers, kind);
    const execution: Execution = {
      links,
      grant,
      format,
      stopping: stopping.signal,
      signalEnd: () => signalEnd(response),
    };
    if (kind === 'pipeline' || kind === 'multi-exec') {
      const what = kind === 'pipeline' ? 'pipeline' : 'transaction';
      const commands = parsePipeline(body, what, settings.pipelineCommandsMax);
      trace.command = kind.toUpperCase();
      trace.commands = commands.length;
      const execute = kind === 'pipeline' ? executePipeline : executeTransaction;
      const admitting = admit(exchange, grant, commands.length);
      if (!admitting) return execute(execution, commands);
      return admitting.then(() => execute(execution, commands));
    }
    const command = parseCommand(target, body);
    trace.command = command.name;
    const admitting = admit(exchange, grant, 1);
    if (!admitting) return executeCommand(execution, command);
    return admitting.then(() => executeCommand(execution, command));
  }

  function describe({ requestId, trace }: Exchange, thrown: unknown): Answer {
    const { status, message, headers, detail } = describeFailure(thrown);
    if (thrown instanceof AppError) trace.refusal = thrown.code;
    else if (status === 500) trace.refusal = 'internal_error';
    if (status === 500) {
      const { instanceId } = trace;
      logger.warn({ requestId, instanceId, status, detail }, 'command failed');
    }
    return { status, body: encodeFailure(message), headers };
  }

  const observer = createObserver(logger, {
    requests_in_flight: () => front.readInFlight(),
    streams: () => streams.count(),
    shared_connections: () => links.count().shared,
    own_connections: () => links.count().own,
  });
  const front = createFront(settings, { serve, describe, note: observer.note, unread });

  return {
    handle(request, response) {
      front.handle(request, response, splitTarget(request.url ?? ''));
    },
    handlePlain(request, response) {
      const target = splitTarget(request.url ?? '');
      if (!target || isStream(target.kind)) return false;
      front.handlePlain(request, response, target);
      return true;
    },
    readFigures: observer.read,
    dropInstance(instanceId) {
      authorizer.dropInstance(instanceId);
      links.dropWhere((owner) => owner.instanceId === instanceId);
    },
    dropKey(keyId, instanceId) {
      authorizer.dropKey(keyId);
      links.dropWhere((owner) => {
        const isThere = instanceId === undefined || owner.instanceId === instanceId;
        return owner.keyId === keyId && isThere;
      });
    },
    async close() {
      stopping.abort(new AppError('shutting_down'));
      await Promise.all([streams.close(), front.close(closeTimeoutMs)]);
      links.close();
      await keyUsage.settle();
    },
  };
}

/** A signal that says when the caller has gone, or has its answer. */
function signalEnd(response: Outgoing): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  if (response.destroyed) controller.abort();
  return controller.signal;
}
