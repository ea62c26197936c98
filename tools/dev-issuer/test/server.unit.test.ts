import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { systemClock } from "@settle/chassis/base/clock";
import { createTokenVerifier } from "@settle/chassis/identity/token-verifier";
import { testLog } from "@settle/chassis/testing";
import { openIssuer, tokenLifetimeS } from "../issuer.ts";
import { startIssuerServer } from "../server.ts";

const issuerUrl = "http://localhost:8003";
const page = "http://localhost:5173";

async function setup() {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "settle-issuer-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const open = () =>
    openIssuer({ folder, issuer: issuerUrl, audience: "settle", clock: systemClock });
  const issuer = await open();
  const server = stack.use(
    await startIssuerServer({
      issuer,
      host: "127.0.0.1",
      port: 0,
      corsOrigins: [page],
      log: testLog,
    }),
  );
  const verifier = createTokenVerifier({
    auth: {
      issuer: issuerUrl,
      audience: "settle",
      jwksUrl: `${server.url}/.well-known/jwks.json`,
      userClaim: "sub",
      scopeClaim: "scope",
    },
    clock: systemClock,
    log: testLog,
    limits: { cooldownMs: 0 },
  });
  const running = stack.move();
  return {
    server,
    issuer,
    open,
    verify: async (token: string) => {
      const { userId, scopes } = await verifier.verify(`Bearer ${token}`);
      return { userId, scopes: [...scopes] };
    },
    get: (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init),
    ask: (body: unknown, headers: Record<string, string> = {}) =>
      fetch(`${server.url}/token`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

type Answer = Readonly<Record<string, unknown>>;
const read = async (response: Response) => (await response.json()) as Answer;

async function assertRefused(response: Response, status: number, why: RegExp, error?: string) {
  assert.equal(response.status, status);
  assert.equal(response.headers.get("content-type"), "application/json");
  const answer = await read(response);
  assert.equal(answer.error, error ?? "invalid_request");
  assert.match(String(answer.error_description), why);
}

describe("the development issuer's server", () => {
  const form = "application/x-www-form-urlencoded";

  it("issues a token that services accept, for a form and for JSON", async () => {
    await using issuer = await setup();
    const password = "grant_type=password&username=alice&password=x&scope=deposit+admin";
    const answers = [
      await issuer.ask(password, { "content-type": form }),
      await issuer.ask({ username: "alice", scope: "deposit admin admin" }),
    ];
    for (const answer of answers) {
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("cache-control"), "no-store");
      const { access_token, ...rest } = await read(answer);
      assert.deepEqual(rest, {
        token_type: "Bearer",
        expires_in: tokenLifetimeS,
        scope: "deposit admin",
      });
      assert.deepEqual(await issuer.verify(String(access_token)), {
        userId: "alice",
        scopes: ["deposit", "admin"],
      });
    }
  });

  it("issues tokens without scopes for names of every allowed form", async () => {
    await using issuer = await setup();
    for (const username of ["a", "auth0|x-y_z.1@b", "-a", "_a", "o'b+c@d", "0".repeat(128)]) {
      const { access_token, scope } = await read(await issuer.ask({ username }));
      assert.equal(scope, "");
      assert.deepEqual(await issuer.verify(String(access_token)), { userId: username, scopes: [] });
    }
  });

  it("keeps older tokens valid after a rotation, also after one by another process", async () => {
    await using issuer = await setup();
    const before = await issuer.issuer.sign({ userId: "before" });
    await (await issuer.open()).rotate();
    const { access_token } = await read(await issuer.ask({ username: "after" }));
    for (const [token, userId] of [
      [before, "before"],
      [String(access_token), "after"],
    ] as const) {
      assert.deepEqual(await issuer.verify(token), { userId, scopes: [] });
    }
    await issuer.issuer.rotate();
    const { keys } = (await read(await issuer.get("/.well-known/jwks.json"))) as {
      keys: readonly Answer[];
    };
    assert.equal(keys.length, 2);
    for (const key of keys) assert.equal(key.d, undefined);
  });

  it("serves its metadata", async () => {
    await using issuer = await setup();
    assert.deepEqual(await read(await issuer.get("/healthz")), { status: "SERVING" });
    const metadata = await read(await issuer.get("/.well-known/openid-configuration?x=1"));
    assert.equal(metadata.issuer, issuerUrl);
    assert.equal(metadata.jwks_uri, `${issuerUrl}/.well-known/jwks.json`);
    assert.equal(metadata.token_endpoint, `${issuerUrl}/token`);
    for (const [name, value] of Object.entries(metadata)) assert.ok(value?.toString(), name);
    const head = await issuer.get("/healthz", { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
  });

  it("rejects invalid names and scopes", async () => {
    await using issuer = await setup();
    for (const username of ["", ".a", "a b", "é", "a\n", "a".repeat(129), 7, null, ["a"]]) {
      await assertRefused(await issuer.ask({ username }), 400, /^username must be/);
    }
    for (const scope of ['a"b', "a\\b", "a  b", " a", "é", "a".repeat(513), 7, ["a"]]) {
      await assertRefused(await issuer.ask({ username: "alice", scope }), 400, /^scope must be/);
    }
  });

  it("rejects bodies that it cannot read", async () => {
    await using issuer = await setup();
    for (const body of ["", "{", "null", "7"]) {
      await assertRefused(
        await issuer.ask(body),
        400,
        /^the body is not (valid JSON|a JSON object)$/,
      );
    }
    await assertRefused(await issuer.ask([]), 400, /^username/);
    await assertRefused(await issuer.ask("x", { "content-type": "text/plain" }), 400, /^send /);
    const twice = await issuer.ask("username=a&username=b", { "content-type": form });
    await assertRefused(twice, 400, /^username appears more than once/);
  });

  it("rejects a body that is too large, with and without a content-length", async () => {
    await using issuer = await setup();
    const body = JSON.stringify({ username: "alice", padding: "x".repeat(200_000) });
    await assertRefused(await issuer.ask(body), 413, /larger than 8192 bytes/);
    const chunked = request(`${issuer.server.url}/token`, { method: "POST" });
    for (let at = 0; at < body.length; at += 50_000) chunked.write(body.slice(at, at + 50_000));
    chunked.end();
    const [response] = await once(chunked, "response");
    assert.equal(response.statusCode, 413);
    assert.match(await text(response), /larger than 8192 bytes/);
    const largest = { username: "alice", padding: "" };
    largest.padding = "x".repeat(8_192 - JSON.stringify(largest).length);
    assert.equal((await issuer.ask(largest)).status, 200);
  });

  it("rejects other paths and methods", async () => {
    await using issuer = await setup();
    for (const path of ["/", "/token/", "/constructor", "/.well-known/"]) {
      await assertRefused(await issuer.get(path), 404, /no such path/, "not_found");
    }
    const got = await issuer.get("/token");
    assert.equal(got.headers.get("allow"), "POST, OPTIONS");
    await assertRefused(got, 405, /accepts POST/);
    const posted = await issuer.get("/healthz", { method: "POST", body: "x" });
    await assertRefused(posted, 405, /accepts GET/);
  });

  it("allows pages of the configured origins and no others", async () => {
    await using issuer = await setup();
    const allowed = await issuer.ask({ username: "alice" }, { origin: page });
    assert.equal(allowed.status, 200);
    assert.equal(allowed.headers.get("access-control-allow-origin"), page);
    const preflight = await issuer.get("/token", { method: "OPTIONS", headers: { origin: page } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), page);
    assert.equal(preflight.headers.get("access-control-allow-methods"), "POST");
    assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /content-type/);
    for (const origin of ["http://localhost:5174", "null", issuer.server.url]) {
      const headers = { origin };
      const foreign = [
        await issuer.ask({ username: "alice" }, headers),
        await issuer.get("/token", { method: "OPTIONS", headers }),
      ];
      for (const response of foreign) {
        await assertRefused(response, 403, /pages of this origin/);
        assert.equal(response.headers.get("access-control-allow-origin"), null);
        assert.equal(response.headers.get("vary"), "origin");
      }
    }
  });

  it("survives hostile requests, and reveals no internals", async () => {
    await using issuer = await setup();
    for (const bytes of [
      "GET / HTTP/1.1\r\nhost: [\r\n\r\n",
      "GET // HTTP/1.1\r\nhost: x\r\n\r\n",
      "\0\0\0",
      `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
      "POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx",
    ]) {
      const socket = connect(Number(new URL(issuer.server.url).port), "127.0.0.1");
      socket.on("error", () => {});
      socket.end(bytes);
      const answer = await text(socket).catch(() => "");
      assert.doesNotMatch(answer, /Error|node:|\.ts/);
    }
    assert.equal((await issuer.get("/healthz")).status, 200);
  });

  it("finishes requests in progress when it stops", async () => {
    const issuer = await setup();
    const slow = request(`${issuer.server.url}/token`, {
      method: "POST",
      headers: { "content-type": form, expect: "100-continue" },
    });
    slow.flushHeaders();
    await once(slow, "continue");
    const stopped = issuer[Symbol.asyncDispose]();
    slow.end("username=alice");
    const [response] = await once(slow, "response");
    assert.match(await text(response), /access_token/);
    await stopped;
    await assert.rejects(issuer.get("/healthz"));
  });
});
