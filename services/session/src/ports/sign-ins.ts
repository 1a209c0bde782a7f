/** Who knows which sign-ins are in force. */
export interface SignIns {
  /** Of at most 10,000 sign-ins, those that have ended or whose person is disabled. */
  ended(signInIds: readonly string[]): Promise<readonly string[]>;
}
