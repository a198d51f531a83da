/** People, organizations, members, invitations and account keys, as the control API takes and gives them. */
import { z } from 'zod';
import { roles } from '../../accounts/roles.ts';
import { endTime, nameSchema, organizationId, pageQueryFields, timestamp } from './common.ts';
import { textOf } from './text.ts';

const emailCharactersMax = 254;
const passwordCharactersMin = 10;
const passwordCharactersMax = 200;
const invitationHoursMax = 720;
const invitationHoursDefault = 168;

/** What RFC 5321 and the names of hosts allow, without quotes and comments; zod's own takes more. */
const emailPattern =
  /^[A-Za-z0-9_'+-]+(\.[A-Za-z0-9_'+-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/;
const emailLocalPartMax = 64;

const email = z
  .email({ pattern: emailPattern, error: 'must be an e-mail address' })
  .max(emailCharactersMax)
  .refine((text) => text.indexOf('@') <= emailLocalPartMax, 'must be an e-mail address')
  .toLowerCase()
  .meta({ example: 'ada@example.com' });

/** Counted in characters, not in halves of them, as JSON Schema counts. */
function passwordOf(charactersMin: number) {
  const fits = (text: string): boolean => {
    const { length } = [...text];
    return length >= charactersMin && length <= passwordCharactersMax;
  };
  return z
    .string()
    .refine(fits, `must have ${charactersMin} to ${passwordCharactersMax} characters`)
    .refine((text) => text.isWellFormed(), 'must not contain half a character')
    .meta({ minLength: charactersMin, maxLength: passwordCharactersMax });
}

const newPassword = passwordOf(passwordCharactersMin).meta({ example: 'correct horse battery' });
const presentPassword = passwordOf(1).meta({ example: 'correct horse battery' });

const secret = textOf(128).meta({
  example: 'Zk3v…',
  description: "What follows `#` in an invitation's link.",
});

export const roleSchema = z.enum(roles).meta({ id: 'Role' });
const role = roleSchema;

export const newPersonSchema = z
  .strictObject({
    email,
    password: newPassword,
    name: nameSchema.meta({ example: 'Ada' }),
    organizationName: nameSchema
      .optional()
      .meta({ description: "Of the person's own organization; their name where left out." }),
    invitation: secret.optional().meta({
      description: "An invitation's secret: joins its organization instead of making one.",
    }),
  })
  .meta({ id: 'NewPerson' });

export const credentialsSchema = z
  .strictObject({ email, password: presentPassword })
  .meta({ id: 'Credentials' });

export const passwordChangeSchema = z
  .strictObject({ currentPassword: presentPassword, newPassword })
  .meta({ id: 'PasswordChange' });

export const personSchema = z
  .object({
    id: z.string().meta({ example: 'user_k2v7' }),
    email: z.string().meta({ example: 'ada@example.com' }),
    name: z.string().meta({ example: 'Ada' }),
    createdAt: timestamp,
  })
  .meta({ id: 'Person' });

export const organizationSchema = z
  .object({
    id: z.string().meta({ example: 'org_abc123' }),
    name: z.string().meta({ example: 'Ada' }),
    plan: z.string().meta({ example: 'free' }),
    role: role.meta({ description: "The caller's." }),
    createdAt: timestamp,
  })
  .meta({ id: 'Organization' });

const count = z.number().int().min(0);

export const organizationDetailsSchema = organizationSchema
  .extend({
    limits: z.object({
      instancesMax: count,
      maxMemoryMibMin: count,
      maxMemoryMibMax: count,
      memoryMibTotalMax: count,
      keysMax: count,
      requestsPerSecond: count.meta({
        description: 'Commands over HTTP and `redis://` together.',
      }),
      connectionsMax: count.meta({
        description:
          'Connections over `redis://`, in each process that takes them; half of them for one key.',
      }),
      apiRequestsPerMinute: count,
      operationsInFlightMax: count,
      backupsMax: count,
    }),
    usage: z.object({
      instances: count,
      memoryBytes: count,
      keys: count,
      operationsInFlight: count,
      backups: count,
    }),
  })
  .meta({ id: 'OrganizationDetails' });

export const newOrganizationSchema = z
  .strictObject({ name: nameSchema })
  .meta({ id: 'NewOrganization' });

export const organizationChangesSchema = z
  .strictObject({ name: nameSchema })
  .meta({ id: 'OrganizationChanges' });

const pathId = textOf(64);

export const organizationParams = z.object({ organizationId: pathId });
export const memberParams = z.object({ organizationId: pathId, userId: pathId });
export const invitationParams = z.object({ organizationId: pathId, invitationId: pathId });
export const accountKeyParams = z.object({ accountKeyId: pathId });

/** A list without filters. */
export const pageQuerySchema = z.strictObject(pageQueryFields);

export const memberSchema = z
  .object({
    userId: z.string().meta({ example: 'user_k2v7' }),
    email: z.string().meta({ example: 'ada@example.com' }),
    name: z.string().meta({ example: 'Ada' }),
    role,
    joinedAt: timestamp,
  })
  .meta({ id: 'Member' });

export const memberChangesSchema = z.strictObject({ role }).meta({ id: 'MemberChanges' });

export const newInvitationSchema = z
  .strictObject({
    role,
    email: email.nullable().default(null).meta({
      description: 'Whom it is for; without it, whoever has the link.',
      example: 'grace@example.com',
    }),
    expiresInHours: z.number().int().min(1).max(invitationHoursMax).default(invitationHoursDefault),
  })
  .meta({ id: 'NewInvitation' });

export const invitationSchema = z
  .object({
    id: z.string().meta({ example: 'inv_k2v7' }),
    organizationId: z.string().meta({ example: 'org_abc123' }),
    email: z.string().nullable().meta({ example: 'grace@example.com' }),
    role,
    createdBy: z.string().nullable().meta({
      description: 'The id of the person or account key that made it; it ends with theirs.',
      example: 'user_k2v7',
    }),
    createdAt: timestamp,
    expiresAt: timestamp,
    acceptedAt: timestamp.nullable(),
  })
  .meta({ id: 'Invitation' });

export const createdInvitationSchema = invitationSchema
  .extend({
    link: z.string().meta({
      example: 'https://cache.example.com/invitations#Zk3v…',
      description: 'To be sent to whom it is for. Shown only here.',
    }),
  })
  .meta({ id: 'CreatedInvitation' });

export const acceptanceSchema = z.strictObject({ secret }).meta({ id: 'Acceptance' });

const scope = z.enum(['full', 'read-only']).meta({ description: 'read-only is the role viewer.' });

export const newAccountKeySchema = z
  .strictObject({
    name: nameSchema.meta({ example: 'deploy' }),
    organizationId: organizationId
      .optional()
      .meta({ description: 'Without it, a personal key: for all organizations of the person.' }),
    role: role.optional().meta({ description: "Never above the caller's, which is the default." }),
    scope: scope.optional(),
    expiresAt: endTime
      .default(null)
      .meta({ example: '2030-01-01T00:00:00Z', description: 'null means never.' }),
  })
  .meta({ id: 'NewAccountKey' });

export const accountKeyChangesSchema = z
  .strictObject({ name: nameSchema })
  .meta({ id: 'AccountKeyChanges' });

export const accountKeySchema = z
  .object({
    id: z.string().meta({ example: 'acct_k2v7' }),
    name: z.string().meta({ example: 'deploy' }),
    organizationId: z
      .string()
      .nullable()
      .meta({ example: 'org_abc123', description: 'null for a personal key.' }),
    role,
    scope,
    createdBy: z
      .string()
      .nullable()
      .meta({ example: 'user_k2v7', description: "The person's id, where it was one." }),
    createdAt: timestamp,
    lastUsed: timestamp.nullable(),
    expiresAt: timestamp.nullable(),
  })
  .meta({ id: 'AccountKey' });

export const createdAccountKeySchema = accountKeySchema
  .extend({
    plainTextKey: z
      .string()
      .meta({ example: 'sk_live_9f8e7d6c5b4a…', description: 'Shown only here.' }),
  })
  .meta({ id: 'CreatedAccountKey' });

export const accountKeyFilterSchema = z.strictObject({
  organizationId: organizationId
    .optional()
    .meta({ description: 'Without it, the personal keys of the caller.' }),
  ...pageQueryFields,
});
