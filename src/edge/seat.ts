/** A client's place at the door: whose it is and where it leads, from when its key is known to be good. */
import type { KeyUse, KeyUses } from './key-uses.ts';
import type { Refusal } from './refusals.ts';
import type { Route } from './route.ts';

export class Seat {
  readonly #keyUses: KeyUses;
  route: Route | undefined;
  use: KeyUse | undefined;

  constructor(keyUses: KeyUses) {
    this.#keyUses = keyUses;
  }

  /** Takes a place among the key's connections, and gives up the one of before; or tells why there is none. */
  take(route: Route): Refusal | undefined {
    this.leave();
    const joined = this.#keyUses.join(route);
    if ('code' in joined) return joined;
    this.route = route;
    this.use = joined;
    return undefined;
  }

  /** Gives the place up; the route stays, so that the log can name it. */
  leave(): void {
    if (this.use) this.#keyUses.leave(this.use);
    this.use = undefined;
  }
}
