/**
 * The commands that the gateway refuses, each with its reason.
 *
 * A request has no connection that it would find again, so what changes the state of one, waits for what
 * was done on one or answers without end has no meaning here, whoever sends it. Rights are not the matter:
 * those are Redis's to decide.
 */

type Reason = keyof typeof reasons;

const reasons = {
  state: 'it would change the state of a connection, and requests have none of their own',
  transaction: 'POST the commands of a transaction to /multi-exec; a Lua script is atomic, too',
  writes: 'it waits for the writes of a connection, and requests have none of their own',
  subscribe: 'GET or POST /subscribe/{channel} for a stream of events',
  psubscribe: 'GET or POST /psubscribe/{pattern} for a stream of events',
  monitor: 'GET or POST /monitor for a stream of events',
  stream: 'it answers without end; connect over redis:// for it',
  replication: 'it is for replicas and clusters',
  endpoint: 'it is an endpoint: POST a JSON array of commands to it',
} as const;

/** A "|" stands between a command and its subcommand. */
export const refusedCommands: Readonly<Record<string, Reason>> = {
  AUTH: 'state',
  HELLO: 'state',
  RESET: 'state',
  QUIT: 'state',
  SELECT: 'state',
  SWAPDB: 'state',
  // Its harmless subcommands, too: what they tell is of a connection that many requests share.
  CLIENT: 'state',
  // Turns the connection's next script into a debugging session.
  'SCRIPT|DEBUG': 'state',
  HIMPORT: 'state',
  MULTI: 'transaction',
  EXEC: 'transaction',
  DISCARD: 'transaction',
  WATCH: 'transaction',
  UNWATCH: 'transaction',
  SUBSCRIBE: 'subscribe',
  PSUBSCRIBE: 'psubscribe',
  MONITOR: 'monitor',
  SSUBSCRIBE: 'stream',
  UNSUBSCRIBE: 'stream',
  PUNSUBSCRIBE: 'stream',
  SUNSUBSCRIBE: 'stream',
  SYNC: 'replication',
  PSYNC: 'replication',
  REPLCONF: 'replication',
  ASKING: 'replication',
  READONLY: 'replication',
  READWRITE: 'replication',
  WAIT: 'writes',
  WAITAOF: 'writes',
  PIPELINE: 'endpoint',
  'MULTI-EXEC': 'endpoint',
};

/** Why a command is refused, in words for its sender. */
export function describeRefusal(name: string, reason: Reason): string {
  return `ERR ${name.replace('|', ' ')} is not supported over HTTP: ${reasons[reason]}`;
}
