/**
 * A token (a JWT), or what brings one. A function is called before the first call, and again when
 * what it brought is refused; what it throws, the call throws.
 */
export type Token = string | (() => string | Promise<string>);

export type TokenSource = {
  /** The token to use now; all who ask while one is being brought get the same. */
  get(): Promise<string>;
  /** Says that `token` was refused, and returns whether there may be a better one. */
  refused(token: string): boolean;
};

/** Keeps the token that all calls of one client share. */
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
      // Somebody else's call may have been refused before, and the next token be on its way.
      if (known === old) {
        known = undefined;
        brought = undefined;
      }
      return true;
    },
  };
}
