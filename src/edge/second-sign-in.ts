/**
 * AUTH and HELLO on a connection that is signed in: whose it is, it stays.
 *
 * The same key may sign in again (clients do after RESET, and to change the protocol); in Redis it is the ACL
 * user, so the request goes on in other words. Another key is refused in place: replies of two keys on one
 * connection would be counted, limited and dropped as one's. What Redis refuses anyway it refuses itself.
 */
import { timingSafeEqual } from 'node:crypto';
import { isDataSecret } from '../keys/format.ts';
import { sha256Hex } from '../lib/crypto.ts';
import { answerGreeting, type SignIn } from './greeting.ts';
import { inPlace } from './refusals.ts';
import { forwardAsIs, type Verdict } from './request-passage.ts';
import type { Route } from './route.ts';

/** @param isKey whether a secret is that of any key. */
export function judgeSecondSignIn(
  given: readonly Buffer[] | undefined,
  route: Route,
  isKey: (secret: string) => Promise<boolean>,
): Verdict | Promise<Verdict> {
  if (!given) return refuse(inPlace.unreadableSignIn);
  const [name = Buffer.alloc(0), ...rest] = given;
  const zero = name.indexOf(0);
  const command = zero === -1 ? name : name.subarray(0, zero);
  const answer = answerGreeting([command, ...rest]);
  if (answer.kind === 'sign-in') return judgeSecret(answer, route, isKey);
  const isAuth = command.toString('latin1').toLowerCase() === 'auth';
  const couldSignIn =
    !isAuth && rest.some((arg) => arg.toString('latin1').toLowerCase() === 'auth');
  return couldSignIn ? refuse(inPlace.unreadableSignIn) : forwardAsIs;
}

function judgeSecret(
  { user, secret, encodeFor }: SignIn,
  { key, instance }: Route,
  isKey: (secret: string) => Promise<boolean>,
): Verdict | Promise<Verdict> {
  const isUser = !user || user === 'default' || user === key.id || user === instance.id;
  // Hashes are of one length, and how far they agree tells nothing of the secret.
  const isSame = timingSafeEqual(Buffer.from(sha256Hex(secret)), Buffer.from(key.secretHash));
  if (isSame && isUser) return { kind: 'forward', bytes: encodeFor(key.id) };
  if (isSame || !isDataSecret(secret)) return refuse(inPlace.wrongPass);
  return isKey(secret).then((is) => refuse(is ? inPlace.otherKey : inPlace.wrongPass));
}

function refuse(reason: string): Verdict {
  return { kind: 'refuse', reason };
}
