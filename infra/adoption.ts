/**
 * What exists already and is taken over instead of made, in the one run that makes a lost stack anew. The
 * command line never has one: it goes on with what that run wrote into the state.
 */
export interface Adoption {
  /** The name of the instance's volume. */
  readonly volume?: string;
  /** The password that the users in that volume were made with. */
  readonly password?: string;
  /** The id of the region's network. */
  readonly network?: string;
}

/** The option that takes over a resource; none where there is nothing to take over. */
export function importOption(id: string | undefined): { import?: string } {
  return id === undefined ? {} : { import: id };
}
