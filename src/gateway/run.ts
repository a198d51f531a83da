/** Runs commands on the links of keys: each is sent once, or not at all and the caller told so. */
import type { Grant } from './authorize.ts';
import { connectionFailure } from './failures.ts';
import type { Command } from './parse.ts';
import type { Frame } from './redis/frames.ts';
import { Unsent } from './redis/link.ts';
import type { Links, Protocol } from './redis/links.ts';

interface RunRequest {
  readonly grant: Grant;
  readonly protocol: Protocol;
  /** Only what may run on a connection that requests share (command-table.ts). */
  readonly commands: readonly Command[];
}

/**
 * Runs commands with the rights of a key: written at once, in order, on the key's shared link.
 * @returns their replies in order; an error reply of Redis is one, too.
 * @throws {AppError} where Redis could not be asked or did not answer.
 */
export async function runCommands(links: Links, request: RunRequest): Promise<Frame[]> {
  const { grant, protocol, commands } = request;
  try {
    return await links.shared(grant, protocol).send(commands);
  } catch (error) {
    if (!(error instanceof Unsent)) throw error;
  }
  try {
    return await links.shared(grant, protocol).send(commands);
  } catch (error) {
    throw error instanceof Unsent ? connectionFailure(error) : error;
  }
}
