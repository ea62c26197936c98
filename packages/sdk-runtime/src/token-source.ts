/**
 * A token (a JWT), or a function that returns one. The function is called before the first call and
 * again when its token is refused. If it throws, the call rejects with that error.
 */
export type Token = string | (() => string | Promise<string>);

export type TokenSource = {
  /** Returns the current token. Concurrent calls share one call of the function. */
  get(): Promise<string>;
  /** Records that `token` was refused, and returns whether another one can be requested. */
  refused(token: string): boolean;
};

/** Holds the token that all calls of a client share. */
export function createTokenSource(token: Token): TokenSource {
  if (typeof token === "string") {
    const same = Promise.resolve(token);
    return { get: () => same, refused: () => false };
  }
  let brought: Promise<string> | undefined;
  let known: string | undefined;
  const bring = async () => {
    known = await token();
    return known;
  };
  return {
    get() {
      if (brought) return brought;
      const bringing = bring();
      brought = bringing;
      bringing.catch(() => {
        if (brought === bringing) brought = undefined;
      });
      return bringing;
    },
    refused(old) {
      // Another call may have been refused before, and the next token may already be requested.
      if (known === old) {
        known = undefined;
        brought = undefined;
      }
      return true;
    },
  };
}
