/**
 * All connections of a gateway process to instances.
 *
 * Shared links: one for each (instance, key, protocol), opened by the first request and never opened again:
 * when one is closed (it failed, behaved oddly, sat idle, made room, or its key or instance was dropped) the
 * next request opens another. Own links: one for a request that needs it, in a bounded number. An instance
 * that does not answer costs only its own callers: they are counted, and refused, apart from all others.
 */
import { AppError } from '../../lib/errors.ts';
import type { Grant } from '../authorize.ts';
import { connectionFailure, tooBusy } from '../failures.ts';
import type { LinkBounds } from './bounds.ts';
import { createInstanceLoad, type InstanceLoad } from './instance-load.ts';
import { type Link, openLink } from './link.ts';
import { type OwnLink, openOwnLink } from './own-link.ts';
import type { Protocol, Target } from './wire.ts';

export type { OwnLink } from './own-link.ts';
export type { Protocol } from './wire.ts';

/** Whose connection it is. */
export interface LinkOwner {
  readonly instanceId: string;
  readonly keyId: string;
}

export interface Links {
  readonly bounds: LinkBounds;
  /**
   * The link that requests of this key share, opened where there is none.
   * @throws {AppError} 503 where the instance does not answer or there is no room.
   */
  shared(grant: Grant, protocol: Protocol): Link;
  /**
   * A signed-in connection for one request, which closes it.
   * @throws {AppError} 503 where there is no room; as `shared` and its `ready` otherwise.
   */
  own(grant: Grant, protocol: Protocol): Promise<OwnLink>;
  /** How many are open or opening. */
  count(): { readonly shared: number; readonly own: number };
  /** Closes the connections of these owners, streams too. */
  dropWhere(matches: (owner: LinkOwner) => boolean): void;
  /** Closes everything and refuses to open more. */
  close(): void;
}

/** An instance at one address: where it moves, everything of it begins anew. */
interface Place {
  readonly instanceId: string;
  readonly host: string;
  readonly port: number;
  readonly load: InstanceLoad;
  readonly keys: Map<string, KeyLinks>;
}

interface KeyLinks {
  readonly keyId: string;
  /** A changed secret needs another sign-in. */
  readonly secretHash: string;
  /** By protocol. */
  readonly shared: Map<Protocol, Link>;
  readonly own: Set<OwnLink>;
}

/** Makes the pool; nothing is connected before it is asked for. */
export function createLinks(bounds: LinkBounds): Links {
  const places = new Map<string, Place>();
  let sharedCount = 0;
  let ownCount = 0;
  let isClosed = false;
  const sweeper = setInterval(sweep, Math.max(bounds.idleTimeoutMs / 6, 10)).unref();

  function findPlace({ instance }: Grant): Place {
    if (isClosed) throw new AppError('shutting_down');
    const { id, nodeHost, nodePort } = instance;
    const known = places.get(id);
    if (known && known.host === nodeHost && known.port === nodePort) return known;
    if (!nodeHost || !nodePort) throw connectionFailure(new Error('no address is recorded'));
    if (known) dropPlace(known);
    const place: Place = {
      instanceId: id,
      host: nodeHost,
      port: nodePort,
      load: createInstanceLoad(bounds),
      keys: new Map(),
    };
    places.set(id, place);
    return place;
  }

  function findKey(place: Place, { key }: Grant): KeyLinks {
    const known = place.keys.get(key.id);
    if (known?.secretHash === key.secretHash) return known;
    if (known) closeAll(known);
    const { id: keyId, secretHash } = key;
    const created: KeyLinks = { keyId, secretHash, shared: new Map(), own: new Set() };
    place.keys.set(keyId, created);
    return created;
  }

  function shared(grant: Grant, protocol: Protocol): Link {
    const place = findPlace(grant);
    place.load.breaker.admit();
    const links = findKey(place, grant);
    const known = links.shared.get(protocol);
    if (known) return known;
    makeRoom();
    sharedCount += 1;
    const link: Link = openLink({
      target: toTarget(place, grant, protocol),
      bounds,
      load: place.load,
      onClosed() {
        sharedCount -= 1;
        if (links.shared.get(protocol) === link) links.shared.delete(protocol);
      },
    });
    links.shared.set(protocol, link);
    return link;
  }

  async function own(grant: Grant, protocol: Protocol): Promise<OwnLink> {
    const place = findPlace(grant);
    const links = findKey(place, grant);
    if (links.own.size >= bounds.ownLinksPerKeyMax || ownCount >= bounds.ownLinksMax) {
      throw tooBusy('Too many streams and waiting commands are open');
    }
    place.load.breaker.admit();
    ownCount += 1;
    const link = openOwnLink({
      target: toTarget(place, grant, protocol),
      bounds,
      load: place.load,
      onClosed() {
        ownCount -= 1;
        links.own.delete(link);
      },
    });
    links.own.add(link);
    await link.ready;
    return link;
  }

  /** Closes the shared link that is longest unused, where there are as many as may be. */
  function makeRoom(): void {
    if (sharedCount < bounds.connectionsMax) return;
    let oldest: Link | undefined;
    for (const { keys } of places.values()) {
      for (const links of keys.values()) {
        for (const link of links.shared.values()) {
          if (link.inFlight > 0) continue;
          if (!oldest || link.lastUsedMs < oldest.lastUsedMs) oldest = link;
        }
      }
    }
    if (!oldest) throw tooBusy('The gateway has no free connection');
    oldest.close();
  }

  /** Closes what is idle and forgets what is empty. */
  function sweep(): void {
    const usedBeforeMs = performance.now() - bounds.idleTimeoutMs;
    for (const place of places.values()) {
      for (const links of place.keys.values()) {
        for (const link of links.shared.values()) {
          if (link.inFlight === 0 && link.lastUsedMs < usedBeforeMs) link.close();
        }
        if (links.shared.size === 0 && links.own.size === 0) place.keys.delete(links.keyId);
      }
      if (place.keys.size === 0 && !place.load.breaker.isOpen) places.delete(place.instanceId);
    }
  }

  function dropPlace(place: Place): void {
    for (const links of place.keys.values()) closeAll(links);
    places.delete(place.instanceId);
  }

  return {
    bounds,
    shared,
    own,
    count: () => ({ shared: sharedCount, own: ownCount }),
    dropWhere(matches) {
      for (const { instanceId, keys } of places.values()) {
        for (const links of keys.values()) {
          if (matches({ instanceId, keyId: links.keyId })) closeAll(links);
        }
      }
    },
    close() {
      isClosed = true;
      clearInterval(sweeper);
      for (const place of places.values()) dropPlace(place);
    },
  };
}

function closeAll({ shared, own }: KeyLinks): void {
  for (const link of [...shared.values(), ...own]) link.close();
}

function toTarget({ host, port }: Place, { key, secret }: Grant, protocol: Protocol): Target {
  return { host, port, protocol, user: key.id, secret };
}
