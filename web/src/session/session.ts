/** The session of a signed-in user. It is kept only in the memory of this tab. */
export type Session = {
  readonly userId: string;
  /**
   * Returns a token: the current one at first, and a new one on each further call. Throws a
   * {@link SessionEndedError} if the user has to sign in again, and an {@link UnreachableError} if
   * the issuer or provider cannot be reached.
   */
  token(): Promise<string>;
  /** Drops the token, and signs out at the provider if it supports that. */
  signOut(): Promise<void>;
};

/** The user has to sign in again to get a token. */
export class SessionEndedError extends Error {
  override readonly name = "SessionEndedError";
}

/** The issuer or provider of tokens cannot be reached. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** The issuer rejects this name. */
export class NameRefusedError extends Error {
  override readonly name = "NameRefusedError";
}
