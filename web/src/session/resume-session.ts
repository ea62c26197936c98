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
  const oidc = createOidcSignIn(signIn);
  const here = location.pathname + location.search;
  if (location.pathname === signedInPath) {
    try {
      const { session, returnTo } = await oidc.comeBack();
      history.replaceState(null, "", returnTo);
      return { session, failed: false };
    } catch {
      history.replaceState(null, "", "/");
      return { failed: true };
    }
  }
  if (!wasSignedIn()) return { failed: false };
  await oidc.leave({ returnTo: here, silent: true });
  return new Promise(() => {});
}
