import { ErrorResponse, type UserManager } from "oidc-client-ts";
import { SessionEndedError, UnreachableError } from "./session.ts";

/** The errors of a provider that may accept the refresh token later. */
const passing = new Set(["temporarily_unavailable", "server_error"]);

/**
 * Gets a new access token with the refresh token. Throws a {@link SessionEndedError} if there is
 * none or the provider rejects it, and an {@link UnreachableError} if there is no response.
 */
export async function renewToken(manager: UserManager): Promise<string> {
  const user = await manager.getUser();
  // The content security policy does not allow the alternative, a hidden frame.
  if (!user?.refresh_token) throw new SessionEndedError("the token has expired");
  const renewed = await manager.signinSilent().catch((cause: unknown) => {
    if (cause instanceof ErrorResponse && !passing.has(cause.error ?? "")) {
      throw new SessionEndedError("the provider refused the refresh token", { cause });
    }
    // The error of fetch.
    if (cause instanceof TypeError) throw new UnreachableError("no response", { cause });
    throw cause;
  });
  if (!renewed) throw new SessionEndedError("the provider returned no new token");
  return renewed.access_token;
}
