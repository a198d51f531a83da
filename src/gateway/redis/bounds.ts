/**
 * How much of everything a gateway process holds towards Redis: the one place of these numbers. Where
 * something is counted in flight, the request that reaches the bound is still taken whole.
 */

export interface LinkBounds {
  /** Shared links of all instances together; the one longest unused makes room. */
  readonly connectionsMax: number;
  /** Connections that belong to one request (streams, blocking commands), of all keys together. */
  readonly ownLinksMax: number;
  /** The same, of one key at one instance. */
  readonly ownLinksPerKeyMax: number;
  /** Commands that wait on one link, those of a link that is still opening too. */
  readonly inFlightMax: number;
  /** Bytes of the commands that wait on one link. */
  readonly bytesInFlightMax: number;
  /** Commands that wait on all shared links of one instance. */
  readonly instanceInFlightMax: number;
  /** Bytes of the commands that wait on all shared links of one instance. */
  readonly instanceBytesInFlightMax: number;
  /** The replies of one request together; what is larger ends its connection. */
  readonly replyBytesMax: number;
  /** Arrays within arrays of a reply. */
  readonly replyDepthMax: number;
  /** For connecting and signing in, tries again included. */
  readonly connectTimeoutMs: number;
  /** The same, while the instance's last sign of life was none: longer than a lost packet costs. */
  readonly suspectConnectTimeoutMs: number;
  /** How long connecting is tried again where it is refused or cut: who waits outlives a restart. */
  readonly refusedRetryMs: number;
  /** How long a command may go without its reply. */
  readonly commandTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Failures in a row of one instance, within `breakerWindowMs`, after which callers are refused at once. */
  readonly breakerFailuresMax: number;
  readonly breakerWindowMs: number;
  /** How long everyone is refused; then one caller's request is the probe. */
  readonly breakerPauseMs: number;
}

const mib = 1024 * 1024;

export const defaultLinkBounds: LinkBounds = {
  connectionsMax: 1_000,
  ownLinksMax: 2_000,
  ownLinksPerKeyMax: 100,
  inFlightMax: 10_000,
  bytesInFlightMax: 32 * mib,
  instanceInFlightMax: 40_000,
  instanceBytesInFlightMax: 64 * mib,
  replyBytesMax: 32 * mib,
  replyDepthMax: 1_000,
  connectTimeoutMs: 5_000,
  suspectConnectTimeoutMs: 2_000,
  refusedRetryMs: 1_000,
  commandTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  breakerFailuresMax: 3,
  breakerWindowMs: 60_000,
  breakerPauseMs: 250,
};
