import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import type { EdgeAuth } from "../render.ts";

const algorithm = "ES256";
const lifeS = 600;

/** A key of an issuer. */
export type SigningKey = {
  /** Its public part, as the issuer publishes it. */
  readonly published: JWK;
  /** A token of alice that is valid for ten minutes, unless the claims, right or wrong, differ. */
  sign(claims?: Readonly<Record<string, unknown>>): Promise<string>;
};

/** An issuer of tokens, on a port that stays the same when it is started again. */
export type Issuer = AsyncDisposable & {
  readonly auth: EdgeAuth;
  /** The key it began with. */
  readonly key: SigningKey;
  /** Makes another key and publishes it. */
  addKey(): Promise<SigningKey>;
  /** Publishes this one no longer. */
  dropKey(key: SigningKey): void;
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** An issuer that will publish its keys on this port of loopback by real HTTP. */
export async function createIssuer(port: number): Promise<Issuer> {
  const auth: EdgeAuth = {
    issuer: "https://issuer.example",
    audience: "settle",
    jwksUrl: `http://127.0.0.1:${port}/keys.json`,
  };
  const published = new Map<string, JWK>();
  const addKey = async (): Promise<SigningKey> => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm);
    const kid = `key-${published.size + 1}`;
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" };
    published.set(kid, jwk);
    const { issuer: iss, audience: aud } = auth;
    return {
      published: jwk,
      sign(claims) {
        const payload = { iss, aud, sub: "alice", exp: nowS() + lifeS, ...claims } as JWTPayload;
        return new SignJWT(payload).setProtectedHeader({ alg: algorithm, kid }).sign(privateKey);
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
    addKey,
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

/** The time as tokens count it. */
export function nowS(): number {
  return Math.floor(Date.now() / 1_000);
}
