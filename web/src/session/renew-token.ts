import { ErrorResponse, type UserManager } from "oidc-client-ts";
import { SessionEndedError, UnreachableError } from "./session.ts";

/** What a provider answers that may take the refresh token later. */
const passing = new Set(["temporarily_unavailable", "server_error"]);

/**
 * Gets another access token by the refresh token. Throws a {@link SessionEndedError} where there is
 * none or the provider does not take it any more, and an {@link UnreachableError} without an answer.
 */
export async function renewToken(manager: UserManager): Promise<string> {
  const user = await manager.getUser();
  // The content security policy has no room for the other way, a hidden frame.
  if (!user?.refresh_token) throw new SessionEndedError("the token has ended");
  const renewed = await manager.signinSilent().catch((cause: unknown) => {
    if (cause instanceof ErrorResponse && !passing.has(cause.error ?? "")) {
      throw new SessionEndedError("the provider refused the refresh token", { cause });
    }
    // That is how fetch says it.
    if (cause instanceof TypeError) throw new UnreachableError("no answer", { cause });
    throw cause;
  });
  if (!renewed) throw new SessionEndedError("the provider gave no other token");
  return renewed.access_token;
}
