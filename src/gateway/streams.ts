/**
 * Subscriptions and MONITOR over HTTP, as server-sent events: each on a connection of its own to Redis,
 * signed in as the key's ACL user.
 *
 * Guarantees:
 * - What Redis refuses (NOPERM, a wrong command) is an ordinary JSON error with its status: the stream
 *   begins at Redis's own yes. MONITOR is Redis's to refuse, too, and it does: keys do not have it
 *   (docs/decisions/0022-streams-and-waiting-commands.md).
 * - A stream ends at once when its reader leaves, its key or instance is dropped, its connection to Redis
 *   ends (a restart, a move) or the service stops, and within a second when its key expires or another
 *   server has closed its way. A comment before the end says why. Nothing is resumed: messages of the time
 *   between two streams are lost, as with any subscriber of Redis.
 * - How many there are is bounded for each key and in all (links.ts), and so is what waits for a slow reader
 *   (event-stream.ts).
 * - No channel, pattern or message is logged.
 */
import { isExpired } from '../keys/key-terms.ts';
import type { Way } from '../keys/lost-ways.ts';
import type { Clock } from '../lib/clock.ts';
import { AppError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { startRepeating } from '../lib/repeat.ts';
import { asStreams, type Exchange } from './answer.ts';
import type { Grant } from './authorize.ts';
import { type EventStreamLimits, openEventStream } from './event-stream.ts';
import { methodNotAllowed } from './failures.ts';
import type { Command, Target } from './parse.ts';
import type { Links } from './redis/links.ts';
import type { OwnLink } from './redis/own-link.ts';
import { follow, toStreamCommand } from './stream-source.ts';

const methods: readonly string[] = ['GET', 'POST'];
const checkMs = 500;

interface StreamDeps {
  readonly links: Pick<Links, 'own' | 'bounds'>;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'debug' | 'warn'>;
  readonly limits?: EventStreamLimits;
  /** Gives those ways that another server has closed; left out where all drops reach this process. */
  readonly findLostWays?: ((ways: readonly Way[]) => Promise<ReadonlySet<Way>>) | undefined;
}

export interface Streams {
  /**
   * Answers a request with a stream, and resolves when that has ended.
   * @param authorize asked once the connection is among those that drops close: what was dropped since the
   * grant was given ends the request here.
   * @throws {AppError} where it cannot begin; then nothing was sent.
   */
  serve(
    exchange: Exchange,
    grant: Grant,
    target: Target,
    authorize: () => Promise<Grant>,
  ): Promise<void>;
  /** How many are open or opening. */
  count(): number;
  /** Ends every stream; no other is opened. */
  close(): Promise<void>;
}

interface OpenStream {
  readonly grant: Grant;
  /** Before it has begun, the connection's end is its end. */
  end: (reason: string) => void;
}

/** Makes the streams of one process. */
export function createStreams(deps: StreamDeps): Streams {
  const { links, clock, logger, limits, findLostWays } = deps;
  const open = new Set<OpenStream>();
  let isClosed = false;

  async function check(): Promise<void> {
    const now = clock.now();
    for (const { grant, end } of open) if (isExpired(grant.key, now)) end('the key has expired');
    if (!findLostWays || open.size === 0) return;
    const checked = [...open];
    const lost = await findLostWays(checked.map(({ grant }) => grant));
    for (const stream of checked) if (lost.has(stream.grant)) stream.end('the key was changed');
  }

  const onError = (error: unknown): void => {
    logger.warn({ err: error }, 'the keys of open streams cannot be checked');
  };
  const checking = startRepeating(check, { intervalMs: checkMs, onError });

  /** Resolves when the stream has ended, or its reader left before it began. */
  async function run(
    stream: OpenStream,
    exchange: Exchange,
    link: OwnLink,
    command: Command,
  ): Promise<void> {
    const { requestId } = exchange;
    const { response } = asStreams(exchange);
    const headers = [...exchange.headers, ...Object.entries(exchange.trace.headers ?? {}).flat()];
    const leave = (): void => link.close();
    response.once('close', leave);
    // Its reader may have left while the connection was opened.
    if (response.destroyed) link.close();
    const begun = follow(link, command, {
      open: () => openEventStream(response, headers, limits),
      timeoutMs: links.bounds.commandTimeoutMs,
    });
    const events = await begun.catch((error: unknown) => {
      if (!response.destroyed) throw error;
    });
    if (!events) return;
    stream.end = events.end;
    void link.closed.then(() => events.end('the connection to Redis ended'));
    const reason = await events.ended;
    const { key, instance } = stream.grant;
    const ms = Math.round(performance.now() - exchange.startedMs);
    const facts = { instanceId: instance.id, keyId: key.id, command: command.name };
    logger.debug({ requestId, ...facts, ms, reason }, 'stream ended');
  }

  return {
    async serve(exchange, grant, target, authorize) {
      if (!methods.includes(exchange.request.method ?? '')) throw methodNotAllowed(methods);
      const command = toStreamCommand(target);
      const link = await links.own(grant, 3);
      const stream: OpenStream = { grant, end: () => link.close() };
      open.add(stream);
      try {
        await authorize();
        if (isClosed) throw new AppError('shutting_down');
        await run(stream, exchange, link, command);
      } finally {
        open.delete(stream);
        link.close();
      }
    },
    count: () => open.size,
    async close() {
      isClosed = true;
      for (const stream of open) stream.end('the service is stopping');
      await checking.stop();
    },
  };
}
