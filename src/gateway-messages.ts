/**
 * What the service and its gateway processes tell each other, over the channel of the fork.
 *
 * A gateway process has neither database nor master key: whose secret a hash is, and how much of a rate is
 * left, it asks. Both sides are of one version, so messages are not checked.
 */
import type { GatewaySettings } from './gateway/gateway.ts';
import type { Figures } from './gateway/observe.ts';
import type { Way } from './keys/lost-ways.ts';
import type { KnownPrincipal } from './keys/principals.ts';
import type { RateRequest, Reservation } from './keys/rates/rate-store.ts';
import type { LogLevel } from './lib/logger.ts';

/** What a process is started with. */
export interface ProcessSettings {
  readonly host: string;
  readonly port: number;
  readonly pathPrefix: string;
  readonly logLevel: LogLevel;
  /** Where the service takes what is not the gateway's. */
  readonly socketPath: string;
  readonly gateway: GatewaySettings;
  /** Whether other servers may close ways, so that they are to be asked about. */
  readonly isShared: boolean;
}

/** What can be asked, each with its question and its answer. */
export interface Asked {
  principal: { question: string; answer: KnownPrincipal | undefined };
  rate: { question: RateRequest; answer: Reservation };
  /** The answer has the places of the lost ones. */
  lostWays: { question: readonly Way[]; answer: readonly number[] };
}

export type Question = {
  [What in keyof Asked]: { readonly what: What; readonly question: Asked[What]['question'] };
}[keyof Asked];

export type FromProcess =
  | { readonly type: 'listening' }
  | ({ readonly type: 'ask'; readonly id: number } & Question)
  /** Once a second: the keys that were used, and what was counted since its start. */
  | { readonly type: 'told'; readonly keyIds: readonly string[]; readonly figures: Figures };

export type ToProcess =
  | { readonly type: 'start'; readonly settings: ProcessSettings }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'no answer'; readonly id: number }
  | { readonly type: 'drop key'; readonly keyId: string; readonly instanceId: string | undefined }
  | { readonly type: 'drop instance'; readonly instanceId: string }
  | { readonly type: 'stop' };
