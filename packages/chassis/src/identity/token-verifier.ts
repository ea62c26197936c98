import { hash } from "node:crypto";
import { fromJsonString } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { errors, type JWTPayload, jwtVerify } from "jose";
import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import { steadyLogOf } from "../base/steady-log.ts";
import { errorInfoOf, refuse } from "../contract/errors.ts";
import { createIssuerKeys, type KeyLimits } from "./issuer-keys.ts";
import type { Principal } from "./principal.ts";

// No symmetric algorithms: a party that can verify such a token could also create one.
const algorithms = [
  "ES256",
  "ES384",
  "ES512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "EdDSA",
];
const clockToleranceS = 5;
const maxTokenLength = 8_192;
const maxTimeS = Number.MAX_SAFE_INTEGER;
const maxRemembered = 50_000;
const defaultLimits: KeyLimits = { keepMs: 300_000, cooldownMs: 10_000, timeoutMs: 3_000 };

/** Which tokens are valid. */
export type AuthConfig = {
  /** The required value of `iss`. */
  readonly issuer: string;
  /** The value that `aud` must contain. */
  readonly audience: string;
  /** Where the issuer publishes its keys. */
  readonly jwksUrl: string;
  /** The claim that names the user: text, or a whole number as its decimal digits. */
  readonly userClaim: string;
  /** The claim that lists the scopes: an array, or text that separates them by spaces. */
  readonly scopeClaim: string;
};

export type TokenVerifier = {
  /**
   * Returns the caller for the value of an `authorization` header; synchronously if the token has
   * been verified before. Refuses a missing or invalid token with UNAUTHENTICATED, and any new
   * token with UNAVAILABLE while the issuer's keys cannot be fetched.
   */
  verify(authorization: string | null | undefined): Principal | Promise<Principal>;
};

/**
 * Verifies JWTs as RFC 7519 and RFC 8725 require: an asymmetric signature by one of the issuer's
 * keys, the issuer, the audience, and an expiry in the future. The keys are fetched for the first
 * token, and again when a token names an unknown key, so that the issuer can rotate its keys.
 *
 * Verified tokens are cached by hash until they expire; the cache holds the newest 50,000.
 */
export function createTokenVerifier(options: {
  readonly auth: AuthConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<KeyLimits>;
}): TokenVerifier {
  const { auth, clock, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const keys = createIssuerKeys(auth.jwksUrl, limits, clock);
  const remembered = new Map<string, Principal>();
  const verifying = new Map<string, Promise<Principal>>();

  const verifyAnew = async (token: string, id: string): Promise<Principal> => {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer: auth.issuer,
        audience: auth.audience,
        algorithms,
        requiredClaims: ["exp"],
        clockTolerance: clockToleranceS,
        currentDate: new Date(clock.nowMs()),
      });
      assertUnambiguous(token, payload);
      if (isOtherType(protectedHeader.typ)) throw refusal("the token is not an access token");
      const principal = principalIn(payload, auth);
      remember(id, principal);
      return principal;
    } catch (error) {
      throw errorInfoOf(error) ? error : refusalOf(error, log);
    }
  };
  const remember = (id: string, principal: Principal) => {
    remembered.set(id, principal);
    if (remembered.size <= maxRemembered) return;
    for (const oldest of remembered.keys()) {
      remembered.delete(oldest);
      return;
    }
  };

  return {
    verify(authorization) {
      const token = tokenIn(authorization);
      const id = hash("sha256", token, "base64");
      const known = remembered.get(id);
      if (known && known.expireTimeMs > clock.nowMs()) return known;
      if (known) remembered.delete(id);
      // Many calls may arrive with the same new token at once.
      const begun = verifying.get(id) ?? verifyAnew(token, id);
      if (!verifying.has(id)) {
        verifying.set(id, begun);
        const end = () => verifying.delete(id);
        begun.then(end, end);
      }
      return begun;
    },
  };
}

function tokenIn(authorization: string | null | undefined): string {
  const [, token] = /^bearer +([!-~]+)$/i.exec(authorization ?? "") ?? [];
  if (token === undefined) throw refusal("send a token: `authorization: Bearer <JWT>`");
  if (token.length > maxTokenLength) throw refusal("the token is too long");
  return token;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Refuses what JSON.parse and jose read in one of several ways, and Envoy refuses: a repeated member,
 * a number beyond the range of doubles, and registered claims of other types and ranges.
 */
function assertUnambiguous(token: string, { jti, aud, ...payload }: JWTPayload): void {
  const times = [payload.exp, payload.nbf, payload.iat].filter((time) => time !== undefined);
  const isValid =
    times.every((time) => time >= 0 && time <= maxTimeS) &&
    ["string", "undefined"].includes(typeof jti) &&
    [aud].flat().every((one) => typeof one === "string") &&
    token.split(".", 2).every((part) => {
      try {
        const text = utf8.decode(Buffer.from(part, "base64url"));
        // Throws for repeated members and for nesting of 100 levels.
        fromJsonString(StructSchema, text);
        JSON.parse(text, (_, value) => {
          if (value === Infinity || value === -Infinity) throw new Error("out of range");
          if (typeof value === "string" && !value.isWellFormed()) throw new Error("not Unicode");
        });
        return true;
      } catch {
        return false;
      }
    });
  if (!isValid) throw refusal("the token is invalid");
}

/** Whether a type of JWT is known to be another than an access token (RFC 8725, section 3.11). */
function isOtherType(typ: unknown): boolean {
  if (typ === undefined) return false;
  return (
    typeof typ !== "string" || (/\+jwt$/i.test(typ) && !/^(application\/)?at\+jwt$/i.test(typ))
  );
}

function principalIn(payload: JWTPayload, { userClaim, scopeClaim }: AuthConfig): Principal {
  const userId = userIdIn(payload[userClaim]);
  if (userId === "") throw refusal("the token does not name a user");
  const { exp = 0 } = payload;
  return { userId, scopes: new Set(scopesIn(payload[scopeClaim])), expireTimeMs: exp * 1_000 };
}

/** Returns the user id; empty if there is none. A larger number would not be the one in the token. */
function userIdIn(claim: unknown): string {
  if (typeof claim === "string") return claim;
  return Number.isSafeInteger(claim) && Number(claim) >= 0 ? String(claim) : "";
}

function scopesIn(claim: unknown): readonly string[] {
  if (typeof claim === "string") return claim.split(" ").filter(Boolean);
  return Array.isArray(claim) ? claim.filter((scope) => typeof scope === "string") : [];
}

/** Errors of the token itself; any other error is about fetching the keys. */
const faultsOfToken = [
  errors.JWTInvalid,
  errors.JWTClaimValidationFailed,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];

function refusalOf(error: unknown, log: Logger): ConnectError {
  if (error instanceof errors.JWTExpired) return expired();
  if (faultsOfToken.some((fault) => error instanceof fault)) {
    log.debug({ err: error }, "a token was rejected");
    return refusal("the token is invalid");
  }
  steadyLogOf(log).warn({ err: error }, "the issuer's keys could not be fetched");
  return refuse(
    Code.Unavailable,
    ErrorReason.UNAVAILABLE,
    "the token issuer does not respond; try again later",
  );
}

/** The refusal of a call, or the end of a stream, whose token has expired. */
export const expired = (): ConnectError => refusal("the token has expired; get a new one");

function refusal(message: string): ConnectError {
  return refuse(Code.Unauthenticated, ErrorReason.UNAUTHENTICATED, message);
}
