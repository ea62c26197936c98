import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { Clock } from "@settle/chassis/base/clock";
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  SignJWT,
} from "jose";
import { type KeySet, offerKeySet, readKeySet, type SigningKey } from "./key-file.ts";

/** The default lifetime of a token. */
export const tokenLifetimeS = 12 * 3_600;
/** A key older than this is rotated at the next start. */
export const keyMaxAgeMs = 90 * 24 * 3_600_000;
const algorithm = "ES256";

/** The contents of a token. */
export type TokenContent = {
  readonly userId: string;
  readonly scopes?: readonly string[];
  /** Default: 12 hours. */
  readonly lifetimeS?: number;
  /** Replaces claims, or removes those that are undefined: for tests with invalid tokens. */
  readonly claims?: Readonly<Record<string, unknown>>;
};

/** Signs tokens with keys in a folder, which all processes that use it share. */
export type Issuer = {
  /** The claim `iss` of the tokens. */
  readonly url: string;
  /** Returns the public parts of the current and the previous key. */
  jwks(): JSONWebKeySet;
  /** Returns a JWT signed with the current key. The content is not validated. */
  sign(content: TokenContent): Promise<string>;
  /**
   * Makes a new key the current one. Tokens of the previous key stay valid; those of older keys do
   * not. If several processes rotate at the same time, one of them does it for all.
   */
  rotate(): Promise<void>;
};

/**
 * Opens the issuer with the keys in `folder`. Creates the folder and a key if missing, and rotates
 * a key older than 90 days. Several processes can do so at the same time and agree on the keys.
 * Throws if the folder contains an invalid key.
 */
export async function openIssuer(options: {
  readonly folder: string;
  /** The claim `iss` of the tokens. */
  readonly issuer: string;
  /** The claim `aud` of the tokens. */
  readonly audience: string;
  readonly clock: Clock;
}): Promise<Issuer> {
  const { folder, issuer, audience, clock } = options;
  // Read each time: another process may have rotated.
  const keys = (): KeySet => {
    const found = readKeySet(folder);
    if (!found) throw new Error(`the keys in ${folder} no longer exist`);
    return found;
  };
  const rotate = async () => {
    const { generation, current: previous } = keys();
    const current = await makeKey(clock.nowMs());
    offerKeySet(folder, { generation: generation + 1, current, previous });
  };
  const keyOf = rememberLast(({ privateJwk }) => importJWK(privateJwk, algorithm));

  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = readKeySet(folder);
  if (!found) offerKeySet(folder, { generation: 1, current: await makeKey(clock.nowMs()) });
  else if (clock.nowMs() - found.current.madeAtMs > keyMaxAgeMs) await rotate();

  return {
    url: issuer,
    jwks() {
      const { current, previous } = keys();
      return { keys: [current, ...(previous ? [previous] : [])].map(publicPartOf) };
    },
    async sign({ userId, scopes = [], lifetimeS = tokenLifetimeS, claims }) {
      const { current } = keys();
      const nowS = Math.floor(clock.nowMs() / 1_000);
      return new SignJWT({
        iss: issuer,
        aud: audience,
        sub: userId,
        ...(scopes.length > 0 && { scope: scopes.join(" ") }),
        iat: nowS,
        exp: nowS + lifetimeS,
        jti: randomUUID(),
        ...claims,
      })
        .setProtectedHeader({ alg: algorithm, kid: current.kid, typ: "JWT" })
        .sign(await keyOf(current));
    },
    rotate,
  };
}

async function makeKey(madeAtMs: number): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const { x = "", y = "", d = "" } = await exportJWK(privateKey);
  const privateJwk = { kty: "EC", crv: "P-256", x, y, d } as const;
  return { kid: await calculateJwkThumbprint(privateJwk), madeAtMs, privateJwk };
}

/** Selects the public fields, which is safer than removing the private ones. */
function publicPartOf({ kid, privateJwk: { kty, crv, x, y } }: SigningKey) {
  return { kty, crv, x, y, kid, alg: algorithm, use: "sig" };
}

function rememberLast(
  load: (key: SigningKey) => Promise<CryptoKey | Uint8Array>,
): (key: SigningKey) => Promise<CryptoKey | Uint8Array> {
  let last: { kid: string; loaded: Promise<CryptoKey | Uint8Array> } | undefined;
  return (key) => {
    if (last?.kid !== key.kid) last = { kid: key.kid, loaded: load(key) };
    return last.loaded;
  };
}
