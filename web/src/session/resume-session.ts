import type { SignInConfig } from "../../server/config.ts";
import type { Session } from "./session.ts";
import { rememberedName, signInByName } from "./sign-in-by-name.ts";

/**
 * Goes on where this tab was before it was loaded: signed in by a remembered name, come back from the
 * provider, or on the way there once more. Without a session somebody has to sign in; `failed` says
 * that the provider has sent them back without.
 */
export async function resumeSession(
  signIn: SignInConfig,
): Promise<{ readonly session?: Session; readonly failed: boolean }> {
  if (signIn.kind === "development") {
    const name = rememberedName();
    if (name === undefined) return { failed: false };
    return signInByName(signIn.issuerUrl, name).then(
      (session) => ({ session, failed: false }),
      () => ({ failed: true }),
    );
  }
  const { createOidcSignIn, signedInPath, wasSignedIn } = await import("./sign-in-by-oidc.ts");
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
  if (!wasSignedIn()) return { failed: false };
  return leaveForProvider(signIn, { silent: true });
}

/**
 * Leaves this page for the OpenID provider, which sends people back to where they are. Never resolves:
 * the page is being left. Throws if the provider cannot be reached.
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
 * Signs in again whose session has ended: under the same name in development, else at the provider,
 * which sends them back to where they are. Throws if whoever signs people in cannot be reached.
 */
export async function renewSession(signIn: SignInConfig, userId: string): Promise<Session> {
  if (signIn.kind === "development") return signInByName(signIn.issuerUrl, userId);
  return leaveForProvider(signIn, { silent: false });
}
