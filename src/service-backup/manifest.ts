/** The manifest of a service archive: its last member, which says what the others are. */
import { z } from 'zod';

export const manifestName = 'manifest.json';
export const archiveFormat = 1;

export const manifestSchema = z.object({
  format: z.literal(archiveFormat),
  /** Of the service that made it. */
  version: z.string(),
  createdAt: z.string(),
  installationId: z.string(),
  /** Where the master key was: in its file, or in SWIFTCACHE_MASTER_KEY. It is in the archive either way. */
  masterKeyFrom: z.enum(['file', 'environment']),
  /** The migrations that the database had, oldest first. */
  migrations: z.array(z.string()),
  /** Rows of each table. */
  tables: z.record(z.string(), z.number()),
  stacks: z.array(z.string()),
  /** The images of live instances: the policies of the new machine must allow them. */
  images: z.array(z.string()),
  /** Instances that changed between the reading of the database and that of their stacks' state. */
  inMotion: z.array(z.string()),
  /** What was not as it should be, for the operator. */
  warnings: z.array(z.string()),
  members: z.array(z.object({ name: z.string(), bytes: z.number(), sha256: z.string() })),
});

export type Manifest = z.infer<typeof manifestSchema>;
