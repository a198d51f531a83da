/**
 * Passwords: argon2id, by the one library that does it in native code without a build step.
 *
 * Guarantees: a check takes the same work whether there is such a person or not; two hashings at most run
 * at once in this process (each takes 19 MiB and a core), a bounded number waits, and the rest is told to
 * come back, so a flood of log-ins never takes the service down with it; the same password typed on
 * another keyboard is the same password (Unicode NFKC).
 */
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { AppError } from '../lib/errors.ts';
import { createTurns } from '../lib/turns.ts';

/** OWASP's least: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const runningMax = 2;
const waitingMax = 32;

const inTurn = createTurns({
  runningMax,
  waitingMax,
  refuse() {
    const headers = { 'Retry-After': '2' };
    return new AppError('rate_limited', 'Too many passwords wait to be checked.', { headers });
  },
});

/** Nobody's hash, with the same parameters: what an unknown person's password is checked against. */
export const nobodysHash = (() => {
  const { memoryCost, timeCost, parallelism } = parameters;
  const bytes = (count: number): string =>
    Buffer.alloc(count, 1).toString('base64').split('=')[0] ?? '';
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${bytes(16)}$${bytes(32)}`;
})();

/** Hashes a new password. Gives a PHC string. @throws {AppError} `rate_limited` when too many wait. */
export async function hashPassword(password: string): Promise<string> {
  return await inTurn(() => hash(normalise(password), parameters));
}

/**
 * Whether the password is the one of the hash; undefined stands for a person that does not exist.
 * @throws {AppError} `rate_limited` when too many wait.
 */
export async function verifyPassword(
  passwordHash: string | undefined,
  password: string,
): Promise<boolean> {
  const matches = await inTurn(() => verify(passwordHash ?? nobodysHash, normalise(password)));
  return matches && passwordHash !== undefined;
}

/** Whether a hash was made with less work than is asked for today. */
export function isOutdated(passwordHash: string): boolean {
  const { memoryCost, timeCost } = parseOptions(passwordHash);
  return memoryCost < parameters.memoryCost || timeCost < parameters.timeCost;
}

function normalise(password: string): string {
  return password.normalize('NFKC');
}
