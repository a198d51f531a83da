/**
 * The gateway: Redis commands over HTTP, under /redis/{instance id}.
 *
 * A request is split (parse.ts), its key checked (authorize.ts), its body read, its command refused where
 * a shared connection cannot carry it (refused-commands.ts), run as the key's own ACL user
 * (run.ts, connections.ts) and its reply or failure written as JSON (encode.ts, failures.ts).
 *
 * Guarantees:
 * - What a key may do is decided by Redis alone; the gateway only decides which instances a key opens, once
 *   more when a body has arrived.
 * - No connection is shared between two keys or two instances, and none carries a command that leaves
 *   state behind, blocks it, or shifts replies; a connection that behaves oddly is dropped.
 * - Nothing that may have run is sent to Redis a second time.
 * - A deleted key or instance is refused at once where dropKey or dropInstance is called, and within 1 s
 *   everywhere else. "Not yours" and "not there" are the same bytes.
 * - Bad input is a 4xx in words its sender can act on. No secret, argument, value, path or stack is in
 *   an answer or a log line.
 * - Bodies, connections, commands in flight and all waiting times are bounded.
 */

import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';
import getRawBody from 'raw-body';
import { servesData } from '../instances/states.ts';
import { createKeyUsage } from '../keys/key-usage.ts';
import { systemClock } from '../lib/clock.ts';
import { AppError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Orm } from '../store/database.ts';
import { createAuthorizer, type Grant } from './authorize.ts';
import {
  type ConnectionLimits,
  createConnectionPool,
  defaultConnectionLimits,
} from './connections.ts';
import {
  encodeFailure,
  encodePipeline,
  encodeResult,
  type ReplyFormat,
  readReplyFormat,
} from './encode.ts';
import { badRequest, describeFailure, instanceNotRunning } from './failures.ts';
import {
  type Command,
  isPipeline,
  parseCommand,
  parsePipeline,
  splitTarget,
  type Target,
} from './parse.ts';
import { findRefusal } from './refused-commands.ts';
import { runCommand } from './run.ts';

/** The largest request body; Redis itself is set to take more. */
const bodyBytesMax = 10 * 1024 * 1024;
const methods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT'];
const methodsWithBody: readonly string[] = ['POST', 'PUT'];
/** A command's name is logged only where it looks like one: a misplaced value must not be. */
const loggableName = /^[A-Z][A-Z0-9._-]{0,39}$/;

export interface GatewayDeps {
  readonly orm: Orm;
  readonly logger: Logger;
  readonly limits?: Partial<ConnectionLimits>;
}

export interface Gateway {
  /** Answers every path under /redis/ and passes the others on. */
  readonly middleware: Koa.Middleware;
  /** Forgets what is known of an instance and closes its connections: it was changed or deleted. */
  dropInstance(instanceId: string): void;
  /**
   * Forgets what is known of a key and closes its connections (to one instance, where one is named): it was
   * changed, unbound or deleted.
   */
  dropKey(keyId: string, instanceId?: string): void;
  /** Closes every connection and waits for what is still being written to the database. */
  close(): Promise<void>;
}

/** What a request has shown of itself so far; for the log line. */
interface Trace {
  keyId?: string;
  command?: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes the gateway; nothing is connected before the first request. */
export function createGateway({ orm, logger, limits }: GatewayDeps): Gateway {
  const authorizer = createAuthorizer(orm, systemClock);
  const pool = createConnectionPool({ ...defaultConnectionLimits, ...limits });
  const keyUsage = createKeyUsage({ orm, logger, clock: systemClock });

  async function authorize(ctx: Koa.Context, target: Target, trace: Trace): Promise<Grant> {
    const { authorization } = ctx.headers;
    const grant = await authorizer.authorize(target, { authorization, address: ctx.ip });
    trace.keyId = grant.key.id;
    if (!servesData(grant.instance.status)) throw instanceNotRunning(grant.instance.status);
    return grant;
  }

  async function answerCommand(ctx: Koa.Context, target: Target, trace: Trace): Promise<Answer> {
    let grant = await authorize(ctx, target, trace);
    keyUsage.touchKey(grant.key.id);
    let body: Buffer | undefined;
    if (methodsWithBody.includes(ctx.method)) {
      body = await readBody(ctx.req);
      // A body may take its time: what has changed of the key meanwhile holds for its command.
      grant = await authorize(ctx, target, trace);
    }
    const format = readReplyFormat(ctx.headers);
    if (isPipeline(target, ctx.method)) {
      const commands = parsePipeline(body ?? Buffer.alloc(0));
      trace.command = `PIPELINE of ${commands.length}`;
      return { status: 200, body: await runPipeline(grant, commands, format) };
    }
    const command = parseCommand(target, body);
    trace.command = loggableName.test(command.name) ? command.name : '(no command name)';
    return { status: 200, body: await run(grant, command, format) };
  }

  async function run(grant: Grant, command: Command, format: ReplyFormat): Promise<string> {
    refuse(command);
    const { protocol } = format;
    return encodeResult(await runCommand(pool, { grant, protocol, command }), format);
  }

  /** Sends all commands at once, in order, on one connection; each has its own result or error. */
  async function runPipeline(
    grant: Grant,
    commands: readonly Command[],
    format: ReplyFormat,
  ): Promise<string> {
    const bodies = commands.map(async (command) => {
      try {
        return await run(grant, command, format);
      } catch (thrown) {
        return encodeFailure(describeFailure(thrown).message);
      }
    });
    return encodePipeline(await Promise.all(bodies));
  }

  const middleware: Koa.Middleware = async (ctx, next) => {
    const target = splitTarget(ctx.req.url ?? '');
    if (!target) return await next();
    const startedMs = performance.now();
    const trace: Trace = {};
    const { requestId } = ctx.state as { requestId?: string };
    let answer: Answer;
    try {
      if (!methods.includes(ctx.method)) throw methodNotAllowed();
      answer = await answerCommand(ctx, target, trace);
    } catch (thrown) {
      const { status, message, headers, detail } = describeFailure(thrown);
      if (status === 500) {
        logger.warn({ requestId, instanceId: target.instanceId, status, detail }, 'command failed');
      }
      answer = { status, body: encodeFailure(message), headers };
    }
    writeAnswer(ctx, answer);
    const ms = Math.round((performance.now() - startedMs) * 1000) / 1000;
    const { instanceId } = target;
    logger.debug({ requestId, instanceId, ...trace, ms, status: answer.status }, 'command');
  };

  return {
    middleware,
    dropInstance(instanceId) {
      authorizer.dropInstance(instanceId);
      pool.dropWhere((connection) => connection.instanceId === instanceId);
    },
    dropKey(keyId, instanceId) {
      authorizer.dropKey(keyId);
      pool.dropWhere((connection) => {
        const isThere = instanceId === undefined || connection.instanceId === instanceId;
        return connection.keyId === keyId && isThere;
      });
    },
    async close() {
      pool.close();
      await keyUsage.settle();
    },
  };
}

function refuse(command: Command): void {
  const refusal = findRefusal(command);
  if (refusal !== undefined) throw badRequest(refusal);
}

function methodNotAllowed(): AppError {
  return new AppError('method_not_allowed', undefined, { headers: { Allow: methods.join(', ') } });
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const length = request.headers['content-length'];
  try {
    return await getRawBody(request, { limit: bodyBytesMax, ...(length && { length }) });
  } catch (thrown) {
    // What was not read is read and thrown away, or the connection's next request would wait for ever.
    request.resume();
    if ((thrown as { type?: unknown }).type === 'entity.too.large') {
      throw new AppError('body_too_large', `The body is larger than ${bodyBytesMax} bytes`);
    }
    throw badRequest('The body did not arrive whole');
  }
}

function writeAnswer(ctx: Koa.Context, { status, body, headers }: Answer): void {
  ctx.status = status;
  ctx.set({
    ...headers,
    // A key may stand in the URL (_token), a value in the answer: neither is to be kept or passed on.
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  ctx.type = 'application/json';
  ctx.body = body;
}
