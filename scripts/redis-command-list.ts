/** Redis's COMMAND reply, with what of it says whether connections may be shared. */

export interface CommandEntry {
  /** In upper case; a subcommand is behind its command and a "|". */
  readonly name: string;
  /** Only those that say something of the connection the command is sent on; sorted. */
  readonly flags: readonly string[];
  readonly isContainer: boolean;
}

/** `admin` is no such flag by itself, but what administers a server is nothing to be run in passing. */
const telling = new Set([
  'admin',
  'asking',
  'blocking',
  'no_auth',
  'no_multi',
  'noscript',
  'pubsub',
]);

/**
 * Reads the reply of COMMAND, sorted by name.
 * @throws {Error} where it does not have the shape that Redis 7 gives it.
 */
export function listCommands(reply: unknown): CommandEntry[] {
  const entries = readList(reply).flatMap(readEntry);
  return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
}

function readEntry(row: unknown): CommandEntry[] {
  const fields = readList(row);
  const subcommands = readList(fields[9]).flatMap(readEntry);
  const flags = readList(fields[2])
    .map(String)
    .filter((flag) => telling.has(flag));
  const name = String(fields[0]).toUpperCase();
  return [{ name, flags: flags.sort(), isContainer: subcommands.length > 0 }, ...subcommands];
}

function readList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('COMMAND has not the shape of Redis 7');
  return value;
}
