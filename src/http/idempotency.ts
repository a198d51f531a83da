/**
 * Idempotency-Key: a POST that is sent twice takes effect once (draft-ietf-httpapi-idempotency-key-header).
 *
 * Guarantees: of two requests of one caller with the same key, also at once and on several servers, one
 * runs: the unique key of its row decides. While it runs, the other is told so. Once it has succeeded,
 * whoever repeats it gets the very same answer, secrets included, for 24 hours. What failed leaves no
 * row, so it may be sent again. A request that never ended, because its server died, stays under way for
 * those 24 hours: nobody knows whether it took effect, and nothing is done twice. Who has not said who
 * they are has a bounded number of rows.
 *
 * Answers are kept sealed for their row, and requests as a keyed hash: what a body holds, e.g. a password,
 * cannot be guessed from the database.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { AppError } from '../lib/errors.ts';
import type { Orm } from '../store/database.ts';
import { IdempotencyRecordEntity } from '../store/entities/idempotency-record.ts';
import type { HttpServices } from './route.ts';
import type { SentAnswer } from './send-answer.ts';

const keptMs = 24 * 3_600_000;
/** What one network may have of rows whose sender is not known. */
export const anonymousRowsMax = 1_000;
const fullRetryAfterS = 3_600;
const removedRowsMax = 1_000;
/** Of a round: what is left waits for the next one. */
const removalsMax = 100;
const keyPattern = /^[\x21-\x7e]{1,255}$/;

/** A request that must not take effect twice. */
export interface RepeatableRequest {
  readonly key: string;
  /** Who asks: the same key of two callers is two keys. */
  readonly scope: string;
  /** How many rows the scope may have; unbounded where undefined, since callers have a rate. */
  readonly rowsMax?: number;
  /** Method, path and checked input: what makes two requests the same. */
  readonly essence: unknown;
}

type Services = Pick<HttpServices, 'orm' | 'clock' | 'sealer' | 'fingerprint' | 'logger'>;

/**
 * Reads the header Idempotency-Key.
 * @returns undefined where the request has none.
 * @throws {AppError} `invalid_request`.
 */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  if (typeof header === 'string' && keyPattern.test(header)) return header;
  const detail = 'must be 1 to 255 visible ASCII characters';
  const fields = [{ pointer: 'Idempotency-Key', detail }];
  throw new AppError('invalid_request', 'Not valid: Idempotency-Key.', { fields });
}

/**
 * Runs a request, or gives the answer of the same request before it.
 * @throws {AppError} `idempotency_key_reused`, `idempotency_in_flight`, `rate_limited` where the scope has
 * too many rows, and what `run` throws.
 */
export async function answerOnce(
  services: Services,
  request: RepeatableRequest,
  run: () => Promise<SentAnswer>,
): Promise<SentAnswer> {
  const row = describeRow(services, request);
  const first = await claim(services.orm, row, request.rowsMax);
  if (first) return replay(services, row, first);
  let answer: SentAnswer;
  try {
    answer = await run();
  } catch (error) {
    await forget(services, row);
    throw error;
  }
  if (answer.status >= 200 && answer.status < 300) await keep(services, row, answer);
  else await forget(services, row);
  return answer;
}

/**
 * Removes what is older than 24 hours, the oldest first, in small transactions and a bounded number of
 * them. To be called now and then; nothing depends on when.
 */
export async function removeOldRecords({
  orm,
  clock,
}: Pick<HttpServices, 'orm' | 'clock'>): Promise<void> {
  const em = orm.em.fork();
  const oldMs = clock.now().getTime() - keptMs;
  for (let removals = 0; removals < removalsMax; removals += 1) {
    const [last] = await em.find(
      IdempotencyRecordEntity,
      { createdAtMs: { $lte: oldMs } },
      {
        orderBy: { createdAtMs: 1 },
        offset: removedRowsMax - 1,
        limit: 1,
        disableIdentityMap: true,
      },
    );
    const createdAtMs = { $lte: last?.createdAtMs ?? oldMs };
    await em.nativeDelete(IdempotencyRecordEntity, { createdAtMs });
    if (!last) return;
  }
}

interface Row {
  readonly scope: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly createdAtMs: number;
}

type FirstRow = Pick<Row, 'fingerprint'> & { readonly answerSealed?: string | null | undefined };

function describeRow({ clock, fingerprint }: Services, request: RepeatableRequest): Row {
  const { key, scope, essence } = request;
  const createdAtMs = clock.now().getTime();
  return { scope, key, fingerprint: fingerprint(writeSorted(essence)), createdAtMs };
}

/** JSON with the names of every object in order: who sends the same fields sends the same request. */
function writeSorted(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    const isObject = typeof part === 'object' && part !== null && !Array.isArray(part);
    return isObject ? Object.fromEntries(Object.entries(part).sort(byName)) : part;
  });
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}

/** @returns undefined where the key is now this request's, else the row of the request before it. */
async function claim(
  orm: Orm,
  row: Row,
  rowsMax: number | undefined,
): Promise<FirstRow | undefined> {
  const { scope, key, createdAtMs } = row;
  if (rowsMax !== undefined) await requireRoom(orm, row, rowsMax);
  if (await insert(orm, row)) return undefined;
  const em = orm.em.fork();
  const first = await em.findOne(IdempotencyRecordEntity, { scope, key });
  // The first request has failed since: the caller may try again.
  if (!first) throw inFlight();
  if (first.createdAtMs > createdAtMs - keptMs) return first;
  await em.nativeDelete(IdempotencyRecordEntity, { scope, key, createdAtMs: first.createdAtMs });
  if (await insert(orm, row)) return undefined;
  throw inFlight();
}

/** Several at once may pass the bound by a few: it is there to bound the table, not to be exact. */
async function requireRoom(orm: Orm, { scope, key }: Row, rowsMax: number): Promise<void> {
  const others = await orm.em.fork().count(IdempotencyRecordEntity, { scope, key: { $ne: key } });
  if (others < rowsMax) return;
  const headers = { 'Retry-After': String(fullRetryAfterS) };
  const message = 'Too many requests with an Idempotency-Key came from this network in 24 hours.';
  throw new AppError('rate_limited', message, { headers });
}

async function insert(orm: Orm, row: Row): Promise<boolean> {
  try {
    await orm.em.fork().insert(IdempotencyRecordEntity, { ...row, answerSealed: null });
    return true;
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) return false;
    throw error;
  }
}

function replay({ sealer }: Services, row: Row, first: FirstRow): SentAnswer {
  if (first.fingerprint !== row.fingerprint) throw new AppError('idempotency_key_reused');
  if (!first.answerSealed) throw inFlight();
  const answer = JSON.parse(sealer.open(first.answerSealed, placeOf(row))) as SentAnswer;
  return { ...answer, headers: { ...answer.headers, 'Idempotent-Replayed': 'true' } };
}

function inFlight(): AppError {
  return new AppError('idempotency_in_flight', undefined, { headers: { 'Retry-After': '1' } });
}

/** What was done is answered, also where it cannot be kept: the row then stays under way. */
async function keep(services: Services, row: Row, answer: SentAnswer): Promise<void> {
  const { orm, sealer, logger } = services;
  try {
    const answerSealed = sealer.seal(JSON.stringify(answer), placeOf(row));
    await orm.em.fork().nativeUpdate(IdempotencyRecordEntity, identify(row), { answerSealed });
  } catch (error) {
    logger.error({ err: error }, 'the answer to a repeatable request was not kept');
  }
}

async function forget({ orm, logger }: Services, row: Row): Promise<void> {
  try {
    await orm.em.fork().nativeDelete(IdempotencyRecordEntity, identify(row));
  } catch (error) {
    logger.error({ err: error }, 'the row of a repeatable request was not removed');
  }
}

function identify({ scope, key, createdAtMs }: Row): Omit<Row, 'fingerprint'> {
  return { scope, key, createdAtMs };
}

function placeOf({ scope, key }: Row): string {
  return `idempotency/${scope}/${key}`;
}
