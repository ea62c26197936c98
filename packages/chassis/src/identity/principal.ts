import { createContextKey, type HandlerContext } from "@connectrpc/connect";

/** The authenticated caller, from a valid token. */
export type Principal = {
  readonly userId: string;
  readonly scopes: ReadonlySet<string>;
  /** When the token expires, in milliseconds since 1970. */
  readonly expireTimeMs: number;
};

/** The context key under which the server stores the caller before the handler runs. */
export const principalKey = createContextKey<Principal | undefined>(undefined, {
  description: "principal",
});

/** Returns the caller of a call. Throws if the server has not stored one, which is a bug. */
export function principalOf({ values }: Pick<HandlerContext, "values">): Principal {
  const principal = values.get(principalKey);
  if (!principal) throw new Error("the call has no authenticated caller");
  return principal;
}
