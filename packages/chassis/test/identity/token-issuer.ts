import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

export const issuer = "https://issuer.test";
export const audience = "settle";

export type SigningKey = { readonly kid: string; readonly alg: string; readonly key: CryptoKey };

/** An issuer whose keys are published over real HTTP, and can be changed and withheld. */
export async function startIssuer() {
  const published = new Map<string, object>();
  let fetched = 0;
  let status = 200;
  const server: Server = createServer((_, response) => {
    fetched += 1;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ keys: [...published.values()] }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    auth: {
      issuer,
      audience,
      jwksUrl: `http://127.0.0.1:${port}/jwks.json`,
      userClaim: "sub",
      scopeClaim: "scope",
    },
    get fetched() {
      return fetched;
    },
    answerWith(code: number) {
      status = code;
    },
    /** Makes a key and publishes its public part. */
    async addKey(kid: string, alg = "ES256"): Promise<SigningKey> {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      published.set(kid, { ...(await exportJWK(publicKey)), kid, alg, use: "sig" });
      return { kid, alg, key: privateKey };
    },
    dropKey(kid: string) {
      published.delete(kid);
    },
    publicKey: (kid: string) => published.get(kid),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export type TestIssuer = Awaited<ReturnType<typeof startIssuer>>;

/** A token that is valid for ten minutes, unless `claims` say otherwise, without those left out. */
export function signToken(
  { key, kid, alg }: SigningKey,
  claims: JWTPayload = {},
  leftOut: readonly string[] = [],
): Promise<string> {
  const nowS = Math.floor(Date.now() / 1_000);
  const payload = {
    iss: issuer,
    aud: audience,
    sub: "alice",
    iat: nowS,
    exp: nowS + 600,
    ...claims,
  };
  const kept = Object.entries(payload).filter(([claim]) => !leftOut.includes(claim));
  return new SignJWT(Object.fromEntries(kept)).setProtectedHeader({ alg, kid }).sign(key);
}

/** A token that nobody has signed. */
export function unsignedToken(claims: JWTPayload = {}): string {
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const payload = { iss: issuer, aud: audience, sub: "alice", exp, ...claims };
  return `${encoded({ alg: "none" })}.${encoded(payload)}.`;
}
