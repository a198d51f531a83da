/** The texts that were added last, in a bounded number. */
export interface Recent {
  has(text: string): boolean;
  /** Adds a text, or makes it the latest. */
  add(text: string): void;
  delete(text: string): void;
}

/** Makes an empty set of at most `max` texts; the one that was added longest ago makes room. */
export function createRecent(max: number): Recent {
  const texts = new Set<string>();
  return {
    has: (text) => texts.has(text),
    add(text) {
      texts.delete(text);
      texts.add(text);
      const [oldest] = texts;
      if (texts.size > max && oldest !== undefined) texts.delete(oldest);
    },
    delete: (text) => void texts.delete(text),
  };
}
