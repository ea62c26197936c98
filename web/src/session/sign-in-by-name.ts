import { forgetUser, keepUser } from "./kept-user.ts";
import { NameRefusedError, type Session, UnreachableError } from "./session.ts";

/**
 * Signs in at the development issuer, which accepts any name. Throws a {@link NameRefusedError} for
 * an invalid user id, and an {@link UnreachableError} if the issuer cannot be reached.
 */
export async function signInByName(issuerUrl: string, name: string): Promise<Session> {
  let atHand: string | undefined = await requestToken(issuerUrl, name);
  keepUser(name);
  return {
    userId: name,
    async token() {
      const token = atHand ?? (await requestToken(issuerUrl, name));
      atHand = undefined;
      return token;
    },
    async signOut() {
      forgetUser();
    },
  };
}

async function requestToken(issuerUrl: string, username: string): Promise<string> {
  const body = new URLSearchParams({ username });
  const response = await fetch(`${issuerUrl}/token`, { method: "POST", body }).catch((cause) => {
    throw new UnreachableError("the issuer does not respond", { cause });
  });
  if (response.status === 400) throw new NameRefusedError(username);
  if (!response.ok) throw new Error(`the issuer responded with status ${response.status}`);
  const { access_token: token } = (await response.json()) as { access_token: string };
  return token;
}
