import assert from "node:assert/strict";
import { mock } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { systemClock } from "../../src/base/clock.ts";
import { errorInfoOf } from "../../src/contract/errors.ts";
import { createTokenVerifier, type TokenVerifier } from "../../src/identity/token-verifier.ts";
import { testLog } from "../../src/testing.ts";
import {
  type SigningKey,
  signToken,
  startIssuer,
  type TestIssuer,
  unsignedToken,
} from "./token-issuer.ts";

describe("a token", () => {
  let issuer: TestIssuer;
  let key: SigningKey;
  let nowMs: number;
  let verifier: TokenVerifier;
  const verifierFor = (claims: { userClaim?: string; scopeClaim?: string } = {}) =>
    createTokenVerifier({
      auth: { ...issuer.auth, ...claims },
      clock: { ...systemClock, nowMs: () => nowMs },
      log: testLog,
      limits: { cooldownMs: 0 },
    });
  beforeEach(async () => {
    issuer = await startIssuer();
    key = await issuer.addKey("one");
    nowMs = Date.now();
    verifier = verifierFor();
  });
  afterEach(() => issuer[Symbol.asyncDispose]());

  const verify = async (token: string, by = verifier) => by.verify(`Bearer ${token}`);
  const refusalOf = async (verifying: Promise<unknown>) => {
    const error = await verifying.then(() => assert.fail("it was let in"), ConnectError.from);
    return `${Code[error.code]} ${errorInfoOf(error)?.reason}`;
  };
  const unauthenticated = "Unauthenticated UNAUTHENTICATED";

  it("says who calls, with which scopes, and until when", async () => {
    const exp = Math.floor(nowMs / 1_000) + 60;
    const token = await signToken(key, { sub: "auth0|alice", scope: "admin  deposit", exp });
    assert.deepEqual(await verify(token), {
      userId: "auth0|alice",
      scopes: new Set(["admin", "deposit"]),
      expireTimeMs: exp * 1_000,
    });
  });

  it("is verified once, and cached until it expires", async () => {
    const token = await signToken(key, { exp: Math.floor(nowMs / 1_000) + 60 });
    const first = verifier.verify(`bearer ${token}`);
    assert.ok("then" in first);
    const principal = await first;
    assert.equal(verifier.verify(`Bearer ${token}`), principal);
    nowMs += 61_000;
    nowMs += 10_000;
    assert.equal(await refusalOf(verify(token)), unauthenticated);
    assert.equal(issuer.fetched, 1);
  });

  it("that many calls send at once is verified once", async () => {
    const token = await signToken(key);
    const principals = await Promise.all(Array.from({ length: 50 }, () => verify(token)));
    assert.equal(new Set(principals).size, 1);
  });

  it("names its user in the configured claim", async () => {
    const token = await signToken(key, { email: "alice@example.com" });
    const { userId } = await verify(token, verifierFor({ userClaim: "email" }));
    assert.equal(userId, "alice@example.com");
    assert.equal(
      await refusalOf(verify(token, verifierFor({ userClaim: "nickname" }))),
      unauthenticated,
    );
  });

  it("may name its user by a whole number, up to the largest that JSON keeps exactly", async () => {
    for (const [claim, userId] of [
      [42, "42"],
      [0, "0"],
      [Number.MAX_SAFE_INTEGER, "9007199254740991"],
    ] as const) {
      for (const name of ["sub", "uid"]) {
        const token = await signToken(key, { [name]: claim } as JWTPayload);
        assert.equal((await verify(token, verifierFor({ userClaim: name }))).userId, userId);
      }
    }
    for (const uid of [2 ** 53, -1, 1.5, null, true, [], ["alice"], {}, ""]) {
      const verifying = verify(await signToken(key, { uid }), verifierFor({ userClaim: "uid" }));
      assert.equal(await refusalOf(verifying), unauthenticated, JSON.stringify(uid));
    }
  });

  it("lists its scopes as text or as an array, in the configured claim", async () => {
    const cases: [unknown, string[]][] = [
      ["admin  deposit ", ["admin", "deposit"]],
      [
        ["openid", "admin"],
        ["openid", "admin"],
      ],
      [["openid admin", 5, null, ["admin"]], ["openid admin"]],
      ["", []],
      [[], []],
      [7, []],
      [null, []],
      [{ admin: true }, []],
      ["admin\tdeposit", ["admin\tdeposit"]],
    ];
    for (const scopeClaim of ["scope", "scp", "https://example.com/permissions"]) {
      for (const [claim, scopes] of cases) {
        const token = await signToken(key, { [scopeClaim]: claim });
        const found = await verify(token, verifierFor({ scopeClaim }));
        assert.deepEqual(found.scopes, new Set(scopes), JSON.stringify(claim));
      }
    }
    const other = await signToken(key, { scp: "admin" });
    assert.deepEqual((await verify(other)).scopes, new Set());
  });

  it("is valid by every algorithm of a signature by a private key", async () => {
    for (const alg of ["ES256", "ES384", "ES512", "RS256", "PS512", "EdDSA"]) {
      await verify(await signToken(await issuer.addKey(alg, alg)));
    }
  });

  it("is refused unless the issuer signed it for our audience and it has not expired", async () => {
    const stranger = { ...key, key: (await generateKeyPair("ES256")).privateKey };
    const secret = Buffer.from(JSON.stringify(issuer.publicKey("one")));
    const symmetric = new SignJWT({ sub: "alice", iss: issuer.auth.issuer, aud: "settle" })
      .setProtectedHeader({ alg: "HS256", kid: "one" })
      .setExpirationTime("1h")
      .sign(secret);
    const past = Math.floor(nowMs / 1_000) - 60;
    const valid = await signToken(key);
    const [header = "", payload = "", signature = ""] = valid.split(".");
    const other = Buffer.from(JSON.stringify({ sub: "mallory" })).toString("base64url");
    const refused: readonly [string, string][] = [
      ["another issuer's", await signToken(key, { iss: "https://elsewhere.test" })],
      ["for another audience", await signToken(key, { aud: "another" })],
      ["expired", await signToken(key, { exp: past })],
      ["without an end", await signToken(key, {}, ["exp"])],
      ["not valid yet", await signToken(key, { nbf: Math.floor(nowMs / 1_000) + 600 })],
      ["without a user", await signToken(key, {}, ["sub"])],
      ["of another key under a known name", await signToken(stranger)],
      ["of a key nobody knows", await signToken({ ...stranger, kid: "two" })],
      ["unsigned", unsignedToken()],
      ["signed with the public key as a secret", await symmetric],
      ["with a payload that was exchanged", `${header}.${other}.${signature}`],
      ["cut", `${header}.${payload}`],
      ["no token", "x"],
      ["too long", "x".repeat(10_000)],
    ];
    for (const [what, token] of refused) {
      assert.equal(await refusalOf(verify(token)), unauthenticated, what);
    }
    for (const header of [
      undefined,
      null,
      "",
      "Bearer",
      "Basic YTpi",
      `Bearer ${valid} ${valid}`,
    ]) {
      const verifying = (async () => verifier.verify(header))();
      assert.equal(await refusalOf(verifying), unauthenticated, String(header));
    }
  });

  it("is valid by either of two keys, and by a new one as soon as it is published", async () => {
    const two = await issuer.addKey("two", "EdDSA");
    await verify(await signToken(key));
    await verify(await signToken(two));
    assert.equal(issuer.fetched, 1);
    issuer.dropKey("one");
    const three = await issuer.addKey("three", "RS256");
    await verify(await signToken(three));
    assert.equal(issuer.fetched, 2);
    assert.equal(await refusalOf(verify(await signToken(key, { jti: "new" }))), unauthenticated);
  });

  it("is valid by a new key also after the clock of the machine was ahead", async () => {
    const ahead = mock.method(Date, "now", () => nowMs + 4 * 86_400_000);
    await verify(await signToken(key, {}));
    ahead.mock.restore();
    const second = await issuer.addKey("two");
    await verify(await signToken(second, {}));
  });

  it("is refused with UNAVAILABLE while the issuer is down, unless it is cached", async () => {
    const known = await signToken(key);
    await verify(known);
    issuer.answerWith(503);
    await verify(known);
    const fresh = verifierFor();
    const token = await signToken(key);
    assert.equal(await refusalOf(verify(token, fresh)), "Unavailable UNAVAILABLE");
    issuer.answerWith(200);
    await verify(token, fresh);
  });
});
