/** Slow hashing of passwords, a few at a time. Refuses with `directory.sign_in_busy` when too many wait. */
export interface PasswordHasher {
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /** Takes as long without a stored hash as with one, so that time does not tell whether there is an account. */
  verify(password: string, stored: string | null | undefined, signal?: AbortSignal): Promise<boolean>;
  /** Whether the hash was made at another cost than is configured now. */
  isOutdated(stored: string): boolean;
}
