/** What holds of a key's terms without looking anything up. */

/** The rate that stands for "unlimited" in the API. */
export const unlimitedRate = 1000;

/** Whether a key opens nothing any more by its time. */
export function isExpired(
  { expiresAt }: { readonly expiresAt?: Date | null | undefined },
  now: Date,
): boolean {
  return expiresAt != null && expiresAt <= now;
}
