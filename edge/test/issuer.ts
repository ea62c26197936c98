import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { CompactSign, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import type { EdgeAuth } from "../render.ts";

const algorithm = "ES256";
const lifeS = 600;

/** A key of an issuer. */
export type SigningKey = {
  /** The public key, as published by the issuer. */
  readonly published: JWK;
  /** Signs a token of alice that is valid for ten minutes; `claims` may replace any claim. */
  sign(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Signs this text with these members in the header, whether or not it is a valid token. */
  signText(payload: string, header?: Readonly<Record<string, unknown>>): Promise<string>;
};

/** An issuer of tokens, on a port that stays the same after a restart. */
export type Issuer = AsyncDisposable & {
  readonly auth: EdgeAuth;
  /** The initial key, and one of another algorithm, ES512. */
  readonly key: SigningKey;
  readonly es512: SigningKey;
  /** Creates another key and publishes it. */
  addKey(): Promise<SigningKey>;
  /** Stops publishing this key. */
  dropKey(key: SigningKey): void;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** Creates an issuer that publishes its keys over HTTP on this port of loopback. */
export async function createIssuer(port: number): Promise<Issuer> {
  const auth: EdgeAuth = {
    issuer: "https://issuer.example",
    audience: "settle",
    jwksUrl: `http://127.0.0.1:${port}/keys.json`,
  };
  const published = new Map<string, JWK>();
  const addKey = async (alg = algorithm): Promise<SigningKey> => {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    const kid = `key-${published.size + 1}`;
    const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
    published.set(kid, jwk);
    const { issuer: iss, audience: aud } = auth;
    return {
      published: jwk,
      sign(claims) {
        const payload = { iss, aud, sub: "alice", exp: nowS() + lifeS, ...claims } as JWTPayload;
        return new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(privateKey);
      },
      signText(payload, header) {
        return new CompactSign(Buffer.from(payload))
          .setProtectedHeader({ alg, kid, ...header })
          .sign(privateKey, { crit: Object.fromEntries([["x", true]]) });
      },
    };
  };
  let server: Server | undefined;
  const stop = async () => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  };
  return {
    auth,
    key: await addKey(),
    es512: await addKey("ES512"),
    addKey: () => addKey(),
    dropKey: ({ published: { kid = "" } }) => void published.delete(kid),
    async start() {
      server = createServer((request, response) => {
        response.writeHead(request.url === "/keys.json" ? 200 : 404);
        response.end(JSON.stringify({ keys: [...published.values()] }));
      });
      await once(server.listen(port, "127.0.0.1"), "listening");
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The current time in seconds, as in tokens. */
export function nowS(): number {
  return Math.floor(Date.now() / 1_000);
}
