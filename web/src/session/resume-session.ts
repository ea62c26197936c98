import type { SignInConfig } from "../../server/config.ts";
import { keptUser } from "./kept-user.ts";
import type { Session } from "./session.ts";
import { signInByName } from "./sign-in-by-name.ts";

/**
 * Resumes the session of this browser after a load: by the kept name, by the response of the
 * provider, or by redirecting to it again. Without a session, the user has to sign in; `failed`
 * says that the provider has redirected back without one.
 */
export async function resumeSession(
  signIn: SignInConfig,
): Promise<{ readonly session?: Session; readonly failed: boolean }> {
  if (signIn.kind === "development") {
    const name = keptUser();
    if (name === undefined) return { failed: false };
    return signInByName(signIn.issuerUrl, name).then(
      (session) => ({ session, failed: false }),
      () => ({ failed: true }),
    );
  }
  const { createOidcSignIn, signedInPath } = await import("./sign-in-by-oidc.ts");
  if (location.pathname === signedInPath) {
    try {
      const { returnTo, ...back } = await createOidcSignIn(signIn).comeBack();
      history.replaceState(null, "", returnTo);
      return { ...back, failed: false };
    } catch {
      history.replaceState(null, "", "/");
      return { failed: true };
    }
  }
  if (keptUser() === undefined) return { failed: false };
  return leaveForProvider(signIn, { silent: true }).catch(() => ({ failed: true }));
}

/**
 * Redirects to the OpenID provider, which redirects back to the current view. Never resolves,
 * because the browser leaves the page. Throws if the provider cannot be reached.
 */
export async function leaveForProvider(
  signIn: Extract<SignInConfig, { kind: "oidc" }>,
  { silent }: { readonly silent: boolean },
): Promise<never> {
  const { createOidcSignIn } = await import("./sign-in-by-oidc.ts");
  const returnTo = location.pathname + location.search;
  await createOidcSignIn(signIn).leave({ returnTo, silent });
  return new Promise(() => {});
}

/**
 * Signs in again after the session has ended: with the same name in development, otherwise at the
 * provider, which redirects back to the current view. Throws if the issuer or the provider cannot
 * be reached.
 */
export async function renewSession(signIn: SignInConfig, userId: string): Promise<Session> {
  if (signIn.kind === "development") return signInByName(signIn.issuerUrl, userId);
  return leaveForProvider(signIn, { silent: false });
}
