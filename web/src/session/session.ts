/** Somebody who is signed in. Nothing of it is kept anywhere but in this tab's memory. */
export type Session = {
  readonly userId: string;
  /**
   * Brings a token: the one at hand at first, and another each time it is asked again. Throws a
   * {@link SessionEndedError} where only signing in again can bring one, and an
   * {@link UnreachableError} where whoever gives them out cannot be reached.
   */
  token(): Promise<string>;
  /** Forgets the token, and signs out at the provider where that is offered. */
  signOut(): Promise<void>;
};

/** No token can be had any more without signing in again. */
export class SessionEndedError extends Error {
  override readonly name = "SessionEndedError";
}

/** Whoever gives out tokens cannot be reached. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** Whoever gives out tokens does not take this name. */
export class NameRefusedError extends Error {
  override readonly name = "NameRefusedError";
}
