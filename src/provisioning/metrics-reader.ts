/**
 * Reads the instances' counters for the sampler, over one connection each that stays open between looks.
 *
 * What the platform itself moves is counted at its sockets, this connection's and the kept one's
 * (instance-redis.ts), so that the metrics can leave it out.
 */
import type { Redis } from 'ioredis';
import type { Sealer } from '../lib/crypto.ts';
import type { InstanceReader, ReadableInstance } from '../metrics/looks.ts';
import { infoSections, parseReading } from '../metrics/parse-sample.ts';
import {
  createPlatformRedis,
  type InstanceClients,
  type KeptTraffic,
  signIn,
} from './instance-redis.ts';

const timeoutMs = 1_000;
const connectionOptions = {
  // What Redis sends is read as lists, maps too.
  protocol: 2,
  connectTimeout: timeoutMs,
  commandTimeout: timeoutMs,
} as const;

interface Link {
  readonly redis: Redis;
  /** Where it leads; an instance that moved needs another. */
  readonly target: string;
  /** What its socket had moved at the end of the last look. */
  sentBytes: number;
  receivedBytes: number;
}

/** Makes a reader; one look at an instance at a time is the caller's care. */
export function createMetricsReader(
  sealer: Sealer,
  clients: Pick<InstanceClients, 'takeTraffic'>,
): InstanceReader {
  const links = new Map<string, Link>();
  const drop = (instanceId: string): void => {
    links.get(instanceId)?.redis.disconnect();
    links.delete(instanceId);
  };
  const linkOf = async (instance: ReadableInstance): Promise<Link> => {
    const target = `${instance.nodeHost}:${instance.nodePort}`;
    const known = links.get(instance.id);
    if (known?.redis.status === 'ready' && known.target === target) return known;
    drop(instance.id);
    const redis = createPlatformRedis(sealer, instance, connectionOptions);
    const link = { redis, target, sentBytes: 0, receivedBytes: 0 };
    links.set(instance.id, link);
    await signIn(redis);
    return link;
  };
  return {
    async read(instance) {
      try {
        const link = await linkOf(instance);
        return await look(link, clients.takeTraffic(instance.id));
      } catch (error) {
        drop(instance.id);
        throw error;
      }
    },
    drop,
    retain(instanceIds) {
      for (const id of links.keys()) {
        if (!instanceIds.has(id)) drop(id);
      }
    },
    close() {
      for (const id of links.keys()) drop(id);
    },
  };
}

async function look(link: Link, kept: KeptTraffic): ReturnType<InstanceReader['read']> {
  const { stream } = link.redis;
  const receivedBefore = stream.bytesRead;
  const replies = await link.redis
    .pipeline()
    .info(...infoSections)
    .call('LATENCY', 'HISTOGRAM')
    .exec();
  const [info, histograms] = (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  const own = {
    bytesIn: stream.bytesWritten - link.sentBytes + kept.bytesIn,
    bytesOut: receivedBefore - link.receivedBytes + kept.bytesOut,
    replyBytes: stream.bytesRead - receivedBefore,
  };
  link.sentBytes = stream.bytesWritten;
  link.receivedBytes = stream.bytesRead;
  const reading = parseReading(String(info), histograms);
  const clients = Math.max(0, reading.clients - kept.connections);
  return { reading: { ...reading, clients }, own };
}
