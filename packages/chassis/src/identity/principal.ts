import { createContextKey, type HandlerContext } from "@connectrpc/connect";

/** Who calls, as a valid token says. */
export type Principal = {
  readonly userId: string;
  readonly scopes: ReadonlySet<string>;
  /** When the token ends, in milliseconds since 1970. */
  readonly expireTimeMs: number;
};

/** Where the server puts the caller of a call before its handler runs. */
export const principalKey = createContextKey<Principal | undefined>(undefined, {
  description: "principal",
});

/** The caller of the call. Throws where the server has let nobody in: a broken assumption. */
export function principalOf({ values }: Pick<HandlerContext, "values">): Principal {
  const principal = values.get(principalKey);
  if (!principal) throw new Error("the call has no authenticated caller");
  return principal;
}
