import {
  ErrorResponse,
  InMemoryWebStorage,
  UserManager,
  WebStorageStateStore,
} from "oidc-client-ts";
import type { SignInConfig } from "../../server/config.ts";
import { forgetUser, keepUser } from "./kept-user.ts";
import { renewToken } from "./renew-token.ts";
import type { Session } from "./session.ts";
import { tokenClaim } from "./token-claim.ts";

type OidcConfig = Extract<SignInConfig, { kind: "oidc" }>;

/** The path to which the provider redirects. */
export const signedInPath = "/signed-in";
/** The errors of a provider that would need input from the user but may not ask for it. */
const asks = new Set(["login_required", "interaction_required", "consent_required"]);

/** Sign-in at an OpenID provider, with the authorization code flow and PKCE. */
export type OidcSignIn = {
  /**
   * Redirects to the provider. With `silent`, the provider shows no page: users with a session
   * there return signed in, all others with an error.
   */
  leave(options: { readonly returnTo: string; readonly silent: boolean }): Promise<void>;
  /**
   * Processes the response of the provider. There is no session if the redirect was silent and the
   * user is not signed in there. Throws any other error of the provider.
   */
  comeBack(): Promise<{ readonly session?: Session; readonly returnTo: string }>;
};

/**
 * Creates the sign-in. Tokens are kept in memory only. The state that must survive the redirect
 * (such as the PKCE verifier) is in the session storage of this tab.
 */
export function createOidcSignIn({
  authority,
  clientId,
  scope,
  userClaim,
}: OidcConfig): OidcSignIn {
  const manager = new UserManager({
    authority,
    client_id: clientId,
    scope,
    redirect_uri: `${location.origin}${signedInPath}`,
    post_logout_redirect_uri: `${location.origin}/`,
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
    stateStore: new WebStorageStateStore({ store: stateOfTab() }),
    // A token is renewed on request only: this is how the end of a session is detected.
    automaticSilentRenew: false,
  });
  return {
    async leave({ returnTo, silent }) {
      await manager.signinRedirect({ state: returnTo, ...(silent && { prompt: "none" }) });
    },
    async comeBack() {
      const back = await manager.signinRedirectCallback().catch((error: unknown) => {
        if (error instanceof ErrorResponse && asks.has(error.error ?? "")) return error;
        throw error;
      });
      const returnTo = typeof back.state === "string" ? back.state : "/";
      if (back instanceof ErrorResponse) {
        forgetUser();
        return { returnTo };
      }
      const userId = tokenClaim(back.access_token, userClaim);
      keepUser(userId);
      return { session: sessionOf(manager, userId), returnTo };
    },
  };
}

/** Where the state of a redirect is kept: without a storage, signing in fails and says so. */
function stateOfTab(): Storage {
  try {
    return sessionStorage;
  } catch {
    return new InMemoryWebStorage();
  }
}

function sessionOf(manager: UserManager, userId: string): Session {
  let brought: string | undefined;
  return {
    userId,
    async token() {
      const user = await manager.getUser();
      const atHand = user?.expired ? undefined : user?.access_token;
      if (atHand !== undefined && atHand !== brought) {
        brought = atHand;
        return atHand;
      }
      brought = await renewToken(manager);
      return brought;
    },
    async signOut() {
      forgetUser();
      const endpoint = await manager.metadataService.getEndSessionEndpoint().catch(() => undefined);
      if (endpoint) await manager.signoutRedirect();
      else await manager.removeUser();
    },
  };
}
