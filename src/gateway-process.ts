/**
 * A gateway process: serves /redis/ on the service's public port with connections of its own to instances,
 * and passes every other path on to the service.
 *
 * It ends when it is told to, within a bounded time, and when the service has gone.
 */
import { createForwarder } from './forwarding.ts';
import { tooBusy } from './gateway/failures.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import type { GatewayPorts } from './gateway/ports.ts';
import type { Asked, FromProcess, ProcessSettings, ToProcess } from './gateway-messages.ts';
import { closeHttpServer, createHttpServer, listenBacklog } from './http-server.ts';
import { createRemoteStore } from './keys/rates/rate-store.ts';
import { createLogger, type Logger } from './lib/logger.ts';

const tellIntervalMs = 1_000;
const askTimeoutMs = 5_000;
const askedMax = 20_000;
const notAnswered = 'The service is too busy to check the key';

type Waiting = (message: Extract<ToProcess, { type: 'answer' | 'no answer' }>) => void;

const waiting = new Map<number, Waiting>();
const usedKeyIds = new Set<string>();
let asked = 0;
let gateway: Gateway | undefined;
let stop = async (): Promise<void> => {};

// A terminal's Ctrl-C reaches all of its processes; the service ends this one in order.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', end);
process.on('message', (message: ToProcess) => {
  if (message.type === 'start') start(message.settings);
  else if (message.type === 'drop key') gateway?.dropKey(message.keyId, message.instanceId);
  else if (message.type === 'drop instance') gateway?.dropInstance(message.instanceId);
  else if (message.type === 'stop') end();
  else waiting.get(message.id)?.(message);
});

function start(settings: ProcessSettings): void {
  const logger = createLogger(settings.logLevel);
  const ports = makePorts(logger, settings.isShared);
  const served = createGateway({ ports, logger, settings: settings.gateway });
  gateway = served;
  const server = createHttpServer({
    gateway: served,
    others: createForwarder(settings.socketPath),
    pathPrefix: settings.pathPrefix,
    areOthersBound: false,
  });
  const { host, port } = settings;
  server.on('error', (error) => {
    logger.error({ err: error }, 'a gateway process cannot listen');
    process.exit(1);
  });
  server.listen({ host, port, backlog: listenBacklog, reusePort: true }, () => {
    send({ type: 'listening' });
  });
  setInterval(tell, tellIntervalMs, served).unref();
  stop = async () => {
    await Promise.all([closeHttpServer(server), served.close()]);
    tell(served);
  };
}

function end(): void {
  void stop().finally(() => process.exit(0));
}

function tell(served: Gateway): void {
  const keyIds = [...usedKeyIds];
  usedKeyIds.clear();
  send({ type: 'told', keyIds, figures: served.readFigures() });
}

function makePorts(logger: Logger, isShared: boolean): GatewayPorts {
  return {
    findPrincipal: (secretHash) => ask('principal', secretHash),
    rates: createRemoteStore((request) => ask('rate', request), logger),
    keyUsage: {
      touchKey: (keyId) => void usedKeyIds.add(keyId),
      async settle() {},
    },
    findLostWays: isShared
      ? async (ways) => {
          const facts = ways.map(({ key, instance }) => ({
            key: { id: key.id, ipWhitelist: key.ipWhitelist },
            instance: { id: instance.id },
          }));
          const places = await ask('lostWays', facts);
          return new Set(places.flatMap((place) => ways[place] ?? []));
        }
      : undefined,
  };
}

/** @throws {AppError} 503 where the service does not answer in time, or cannot. */
function ask<What extends keyof Asked>(
  what: What,
  question: Asked[What]['question'],
): Promise<Asked[What]['answer']> {
  const { promise, resolve, reject } = Promise.withResolvers<Asked[What]['answer']>();
  if (waiting.size >= askedMax) return Promise.reject(tooBusy(notAnswered));
  asked += 1;
  const id = asked;
  const giveUp = (): void => {
    waiting.delete(id);
    reject(tooBusy(notAnswered));
  };
  const timer = setTimeout(giveUp, askTimeoutMs);
  waiting.set(id, (message) => {
    clearTimeout(timer);
    waiting.delete(id);
    if (message.type === 'answer') resolve(message.answer as Asked[What]['answer']);
    else giveUp();
  });
  send({ type: 'ask', id, what, question } as FromProcess);
  return promise;
}

function send(message: FromProcess): void {
  // A channel that has gone is told by 'disconnect'.
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}
