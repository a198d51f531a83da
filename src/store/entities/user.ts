import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** A person. The e-mail address is kept in lower case; the password as an argon2id hash (PHC string). */
export const UserEntity = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    id: p.string().primary(),
    email: p.string().unique('users_email_unique'),
    name: p.string(),
    passwordHash: p.string(),
    createdAt: p.datetime(),
  },
});

export type User = InferEntity<typeof UserEntity>;

/** A log-in of a person; only the SHA-256 of its secret is kept. */
export const SessionEntity = defineEntity({
  name: 'Session',
  tableName: 'sessions',
  properties: {
    id: p.string().primary(),
    userId: p.string(),
    secretHash: p.string().unique('sessions_secret_hash_unique'),
    createdAt: p.datetime(),
    lastUsedAt: p.datetime(),
    /** The latest time it can be used at, however busy it is. */
    expiresAt: p.datetime(),
  },
});
