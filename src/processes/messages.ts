/**
 * What the service and the processes that it forked for a surface tell each other, over the fork's channel.
 *
 * Such a process has neither database nor master key: whose secret a hash is, and how much of a rate is left,
 * it asks. Both sides are of one version, so messages are not checked.
 */
import type { Way } from '../keys/lost-ways.ts';
import type { KeyTerms, KnownPrincipal } from '../keys/principals.ts';
import type { RateRequest, Reservation } from '../keys/rates/rate-store.ts';
import type { LogLevel } from '../lib/logger.ts';

/** What every process is started with, beside what its surface needs. */
export interface CommonSettings {
  readonly logLevel: LogLevel;
  /** Whether other servers may close ways, so that they are to be asked about. */
  readonly isShared: boolean;
}

/** What can be asked, each with its question and its answer. */
export interface Asked {
  principal: { question: string; answer: KnownPrincipal | undefined };
  rate: { question: RateRequest; answer: Reservation };
  /** By the ids of keys. */
  terms: { question: readonly string[]; answer: readonly KeyTerms[] };
  /** The answer has the places of the lost ones. */
  lostWays: { question: readonly Way[]; answer: readonly number[] };
}

export type Question = {
  [What in keyof Asked]: { readonly what: What; readonly question: Asked[What]['question'] };
}[keyof Asked];

export type FromProcess<Figures> =
  | { readonly type: 'listening' }
  /** It ends because it cannot begin; the reason is for the operator. */
  | { readonly type: 'failed'; readonly reason: string }
  | ({ readonly type: 'ask'; readonly id: number } & Question)
  /** Once a second: the keys that were used, and what was counted since its start. */
  | { readonly type: 'told'; readonly keyIds: readonly string[]; readonly figures: Figures };

export type ToProcess<Settings> =
  | { readonly type: 'start'; readonly common: CommonSettings; readonly settings: Settings }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'no answer'; readonly id: number }
  | { readonly type: 'drop key'; readonly keyId: string; readonly instanceId: string | undefined }
  | { readonly type: 'drop instance'; readonly instanceId: string }
  | { readonly type: 'stop' };
