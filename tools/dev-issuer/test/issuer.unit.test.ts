import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@settle/chassis/base/clock";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { keyMaxAgeMs, openIssuer, tokenLifetimeS } from "../issuer.ts";

const nowMs = Date.parse("2026-05-04T03:02:01.500Z");

describe("the development issuer", () => {
  let parent: string;
  let folder: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "settle-issuer-"));
    folder = join(parent, "issuer");
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  const open = (at = nowMs) => {
    const clock: Clock = { nowMs: () => at, monotonicMs: () => 0 };
    return openIssuer({ folder, issuer: "http://localhost:8003", audience: "settle", clock });
  };
  type Opened = Awaited<ReturnType<typeof open>>;
  const kidsOf = (issuer: Opened) => issuer.jwks().keys.map(({ kid }) => kid);
  const signerOf = async (issuer: Opened) =>
    decodeProtectedHeader(await issuer.sign({ userId: "alice" })).kid;
  const keyFiles = () => readdirSync(folder);

  it("signs with the same key after a restart", async () => {
    const first = await open();
    const second = await open(nowMs + keyMaxAgeMs);
    assert.deepEqual(second.jwks(), first.jwks());
    assert.deepEqual([await signerOf(second)], kidsOf(first));
  });

  it("creates one key if several start for the first time at once", async () => {
    const issuers = await Promise.all(Array.from({ length: 8 }, () => open()));
    const [first, ...others] = issuers.map((issuer) => issuer.jwks());
    assert.equal(first?.keys.length, 1);
    for (const other of others) assert.deepEqual(other, first);
    assert.deepEqual(keyFiles(), ["keys-1.json"]);
  });

  it("publishes two keys after a rotation and drops the oldest at the next", async () => {
    const issuer = await open();
    const first = await signerOf(issuer);
    await issuer.rotate();
    const second = await signerOf(issuer);
    assert.notEqual(second, first);
    assert.deepEqual(kidsOf(issuer), [second, first]);
    await issuer.rotate();
    assert.deepEqual(kidsOf(issuer), [await signerOf(issuer), second]);
    assert.deepEqual(kidsOf(await open()), kidsOf(issuer));
    assert.deepEqual(keyFiles(), ["keys-3.json"]);
  });

  it("notices a rotation by another process, and does one for several at once", async () => {
    const issuers = await Promise.all([open(), open(), open()]);
    const [first] = kidsOf(issuers[0]);
    await Promise.all(issuers.map((issuer) => issuer.rotate()));
    const kids = kidsOf(issuers[0]);
    assert.equal(kids[1], first);
    for (const issuer of issuers) {
      assert.deepEqual(kidsOf(issuer), kids);
      assert.equal(await signerOf(issuer), kids[0]);
    }
  });

  it("rotates at startup if the key is older than 90 days", async () => {
    const kids = kidsOf(await open());
    const later = await open(nowMs + keyMaxAgeMs + 1);
    assert.equal(kidsOf(later).length, 2);
    assert.equal(kidsOf(later)[1], kids[0]);
    assert.deepEqual(kidsOf(await open(nowMs + keyMaxAgeMs + 2)), kidsOf(later));
  });

  it("keeps its private keys private", async () => {
    const issuer = await open();
    await issuer.rotate();
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder, "keys-2.json")).mode & 0o777, 0o600);
    const { current } = JSON.parse(readFileSync(join(folder, "keys-2.json"), "utf8"));
    assert.ok(current.privateJwk.d);
    assert.ok(!JSON.stringify(issuer.jwks()).includes(current.privateJwk.d));
    for (const key of issuer.jwks().keys) {
      assert.deepEqual(Object.keys(key).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    }
  });

  it("names a file that contains no valid keys", async () => {
    await open();
    writeFileSync(join(folder, "keys-1.json"), '{"current": ');
    await assert.rejects(open(), /keys-1\.json contains no valid keys: delete it/);
    writeFileSync(join(folder, "keys-1.json"), '{"current": {"kid": "k"}}');
    await assert.rejects(open(), /keys-1\.json contains no valid keys: delete it/);
  });

  it("signs the required claims, and no others by default", async () => {
    const issuer = await open();
    const token = await issuer.sign({ userId: "auth0|alice" });
    const { jti, ...claims } = decodeJwt(token);
    const iat = Math.floor(nowMs / 1_000);
    assert.deepEqual(claims, {
      iss: "http://localhost:8003",
      aud: "settle",
      sub: "auth0|alice",
      iat,
      exp: iat + tokenLifetimeS,
    });
    assert.match(jti ?? "", /^[0-9a-f-]{36}$/);
    const { kid, ...header } = decodeProtectedHeader(token);
    assert.deepEqual(header, { alg: "ES256", typ: "JWT" });
    assert.deepEqual([kid], kidsOf(issuer));
  });

  it("signs any claims that a test requests", async () => {
    const issuer = await open();
    const claims = { aud: ["another"], sub: 7, exp: undefined, roles: ["x"] };
    const content = { userId: "alice", scopes: ["admin", "deposit"], lifetimeS: 60, claims };
    const { iat, jti, ...signed } = decodeJwt(await issuer.sign(content));
    assert.deepEqual(signed, {
      iss: "http://localhost:8003",
      aud: ["another"],
      sub: 7,
      scope: "admin deposit",
      roles: ["x"],
    });
  });
});
