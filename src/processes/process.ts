/**
 * The side of a process that the service forked for a surface: started, told and asked over the fork's channel.
 *
 * It ends when it is told to, within a bounded time, and when the service has gone.
 */
import type { KeyPorts } from '../keys/ports.ts';
import { AppError } from '../lib/errors.ts';
import { createLogger, type Logger } from '../lib/logger.ts';
import { type Ask, createAskedPorts } from './asked-ports.ts';
import type { CommonSettings, FromProcess, ToProcess } from './messages.ts';

const tellIntervalMs = 1_000;
const askTimeoutMs = 5_000;
const askedMax = 20_000;

/** A surface as it is served by such a process. */
export interface Served<Figures> {
  /** Resolves when it takes clients. @throws an Error whose message is for the operator. */
  listen(): Promise<void>;
  dropKey(keyId: string, instanceId?: string): void;
  dropInstance(instanceId: string): void;
  readFigures(): Figures;
  close(): Promise<void>;
}

export interface Given {
  readonly ports: KeyPorts;
  readonly logger: Logger;
}

type Answered = Extract<ToProcess<unknown>, { type: 'answer' | 'no answer' }>;

/** Makes of this process one that serves what `make` gives, once the service says with which settings. */
export function serveBeside<Settings, Figures>(
  make: (settings: Settings, given: Given) => Served<Figures>,
): void {
  const send = (message: FromProcess<Figures>, onSent: () => void = () => {}): void => {
    // A channel that has gone is told by 'disconnect'.
    if (process.connected) process.send?.(message, undefined, {}, onSent);
  };
  const { ask, hearAnswer } = createQuestions(send);
  const usedKeyIds = new Set<string>();
  let served: Served<Figures> | undefined;
  let isEnding = false;

  function tell(): void {
    if (!served) return;
    const keyIds = [...usedKeyIds];
    usedKeyIds.clear();
    send({ type: 'told', keyIds, figures: served.readFigures() });
  }

  async function start(common: CommonSettings, settings: Settings): Promise<void> {
    const logger = createLogger(common.logLevel);
    try {
      const ports = createAskedPorts(ask, { usedKeyIds, logger, isShared: common.isShared });
      served = make(settings, { ports, logger });
      await served.listen();
      // Before all else, so that whoever reads figures of one that serves finds some.
      tell();
      send({ type: 'listening' });
      setInterval(tell, tellIntervalMs).unref();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      send({ type: 'failed', reason }, () => process.exit(1));
    }
  }

  /** Once: what is under way is not to be cut because the service ends meanwhile. */
  function end(): void {
    if (isEnding) return;
    isEnding = true;
    const closing = served?.close() ?? Promise.resolve();
    void closing.then(tell).finally(() => process.exit(0));
  }

  // A terminal's Ctrl-C reaches all of its processes; the service ends this one in order.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  process.on('disconnect', end);
  process.on('message', (message: ToProcess<Settings>) => {
    if (message.type === 'start') void start(message.common, message.settings);
    else if (message.type === 'drop key') served?.dropKey(message.keyId, message.instanceId);
    else if (message.type === 'drop instance') served?.dropInstance(message.instanceId);
    else if (message.type === 'stop') end();
    else hearAnswer(message);
  });
}

/** The questions that wait for their answers. */
function createQuestions(send: (message: FromProcess<never>) => void): {
  /** @throws {AppError} 503 where the service does not answer in time, or cannot. */
  ask: Ask;
  hearAnswer(message: Answered): void;
} {
  const waiting = new Map<number, (message: Answered) => void>();
  let asked = 0;
  return {
    ask(what, question) {
      if (waiting.size >= askedMax) return Promise.reject(notAnswered());
      const { promise, resolve, reject } = Promise.withResolvers<never>();
      asked += 1;
      const id = asked;
      const giveUp = (): void => {
        waiting.delete(id);
        reject(notAnswered());
      };
      const timer = setTimeout(giveUp, askTimeoutMs);
      waiting.set(id, (message) => {
        clearTimeout(timer);
        waiting.delete(id);
        if (message.type === 'answer') resolve(message.answer as never);
        else giveUp();
      });
      send({ type: 'ask', id, what, question } as FromProcess<never>);
      return promise;
    },
    hearAnswer: (message) => waiting.get(message.id)?.(message),
  };
}

function notAnswered(): AppError {
  const headers = { 'Retry-After': '1' };
  const message = 'The service is too busy to check the key';
  return new AppError('instance_unreachable', message, { headers });
}
