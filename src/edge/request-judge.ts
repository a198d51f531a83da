/**
 * Decides what becomes of each request of a connection that is signed in: by its rates, and by whom it signs in
 * as. A key over its rate is refused command by command; where it goes on all the same, its commands wait for
 * the next second, one wait a command, so that a flood comes to a trickle and every reply in its turn.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Excess } from '../keys/rates/limits.ts';
import { sha256Hex } from '../lib/crypto.ts';
import type { ConnectionDeps } from './connection-deps.ts';
import type { ForwardingDeps } from './forwarding.ts';
import type { KeyUse } from './key-uses.ts';
import * as refusals from './refusals.ts';
import type { Verdict } from './request-passage.ts';
import type { Route } from './route.ts';
import { judgeSecondSignIn } from './second-sign-in.ts';

type RequestJudge = Pick<ForwardingDeps, 'admit' | 'judgeSignIn' | 'renderRefusal'>;

export function createRequestJudge(
  { rates, figures, principals, failures }: ConnectionDeps,
  { route, use, address }: { route: Route; use: KeyUse; address: string },
): RequestJudge {
  const refuse = (excess: Excess): Verdict => {
    figures.refusals.rate_limited += 1;
    return { kind: 'refuse', reason: refusals.encodeExcess(excess) };
  };

  function admit(): Verdict | undefined | Promise<Verdict | undefined> {
    figures.commands += 1;
    const spent = rates.spend(use.terms, 1);
    if (spent === undefined) return undefined;
    return spent instanceof Promise ? spent.then(toVerdict) : toVerdict(spent);
  }

  function toVerdict(excess: Excess | undefined): ReturnType<typeof admit> {
    if (!excess) return undefined;
    return use.refusals.take() ? refuse(excess) : admitLater(excess);
  }

  async function admitLater({ meter }: Excess): Promise<Verdict | undefined> {
    figures.slowed += 1;
    // Timers count in whole milliseconds, and the next second is not to be missed by a part of one.
    await sleep(meter.readRestMs() + 1);
    const excess = await rates.spend(use.terms, 1);
    return excess && refuse(excess);
  }

  async function isKey(secret: string): Promise<boolean> {
    return (await principals.find(sha256Hex(secret))) !== undefined;
  }

  return {
    admit,
    renderRefusal: refusals.renderInPlace,
    async judgeSignIn(args) {
      const excess = await admit();
      if (excess) return excess;
      const verdict = await judgeSecondSignIn(args, route, isKey);
      if (verdict.kind === 'forward') return verdict;
      figures.refusals.sign_in_refused += 1;
      if (verdict.reason !== refusals.inPlace.wrongPass) return verdict;
      const delayMs = failures.note(address);
      if (delayMs > 0) await sleep(delayMs);
      return verdict;
    },
  };
}
