import { defineEntity, p } from '@mikro-orm/core';

/** A request that came with an Idempotency-Key, and its answer once there is one. */
export const IdempotencyRecordEntity = defineEntity({
  name: 'IdempotencyRecord',
  tableName: 'idempotency_records',
  properties: {
    /** Who asked: the same key of two callers is two keys. */
    scope: p.string().primary(),
    key: p.string().primary(),
    /** Keyed hash (HMAC) of the whole request: what a body holds cannot be guessed from it. */
    fingerprint: p.string(),
    /** Status, headers and body, sealed; null while the request is under way. */
    answerSealed: p.text().nullable(),
    createdAtMs: p.bigint('number'),
  },
});
