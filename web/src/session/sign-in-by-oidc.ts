import {
  ErrorResponse,
  InMemoryWebStorage,
  UserManager,
  WebStorageStateStore,
} from "oidc-client-ts";
import type { SignInConfig } from "../../server/config.ts";
import { renewToken } from "./renew-token.ts";
import type { Session } from "./session.ts";
import { tokenClaim } from "./token-claim.ts";

type OidcConfig = Extract<SignInConfig, { kind: "oidc" }>;

/** Where the provider sends people back to. */
export const signedInPath = "/signed-in";
const signedInKey = "settle.signed-in";
/** What a provider answers that would have to ask somebody something, and may not. */
const asks = new Set(["login_required", "interaction_required", "consent_required"]);

/** Signing in at an OpenID provider, by the authorization code flow with PKCE. */
export type OidcSignIn = {
  /**
   * Leaves this page for the provider's. With `silent` nobody is asked for anything: who is signed in
   * there comes back signed in, everybody else with an error.
   */
  leave(options: { readonly returnTo: string; readonly silent: boolean }): Promise<void>;
  /**
   * Takes up what the provider has sent back with; without a session for somebody who went there
   * silently and is not signed in. Throws what else the provider says is wrong.
   */
  comeBack(): Promise<{ readonly session?: Session; readonly returnTo: string }>;
};

/**
 * Prepares signing in. Tokens are in memory alone; what has to outlive the way to the provider and
 * back (the PKCE verifier, for once) is in this tab's session storage.
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
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
    // A token is renewed when it is asked for: only that can tell that the session has ended.
    automaticSilentRenew: false,
  });
  return {
    async leave({ returnTo, silent }) {
      sessionStorage.removeItem(signedInKey);
      await manager.signinRedirect({ state: returnTo, ...(silent && { prompt: "none" }) });
    },
    async comeBack() {
      const back = await manager.signinRedirectCallback().catch((error: unknown) => {
        if (error instanceof ErrorResponse && asks.has(error.error ?? "")) return error;
        throw error;
      });
      const returnTo = typeof back.state === "string" ? back.state : "/";
      if (back instanceof ErrorResponse) return { returnTo };
      sessionStorage.setItem(signedInKey, "yes");
      const userId = tokenClaim(back.access_token, userClaim);
      return { session: sessionOf(manager, userId), returnTo };
    },
  };
}

/** Whether this tab was signed in before it was reloaded. */
export function wasSignedIn(): boolean {
  return sessionStorage.getItem(signedInKey) !== null;
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
      sessionStorage.removeItem(signedInKey);
      const endpoint = await manager.metadataService.getEndSessionEndpoint().catch(() => undefined);
      if (endpoint) await manager.signoutRedirect();
      else await manager.removeUser();
    },
  };
}
