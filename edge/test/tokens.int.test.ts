import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { systemClock } from "@settle/chassis/base/clock";
import { createTokenVerifier } from "@settle/chassis/identity/token-verifier";
import { eventually, testLog } from "@settle/chassis/testing";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { SignJWT, UnsecuredJWT } from "jose";
import { assertEdgeError, assertEdgeFailure } from "./edge-errors.ts";
import { createIssuer, nowS, type SigningKey } from "./issuer.ts";
import { type Answer, type Lab, startLab } from "./lab.ts";
import { orderIds } from "./upstream.ts";

const buf = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
const page = "http://localhost:5173";
const order = `/gateway/orders/alice/${orderIds.known}`;
const message = "Send a valid token: `authorization: Bearer <JWT>`.";

describe("the edge, by the token of a request,", () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  const transports: Record<string, (target: Pick<Lab["target"], "baseUrl">) => Transport> = {
    gRPC: (target) => createGrpcTransport(target),
    "gRPC-Web": (target) => createGrpcWebTransport({ ...target, httpVersion: "1.1" }),
    "gRPC-Web over HTTP/2": (target) => createGrpcWebTransport({ ...target, httpVersion: "2" }),
    Connect: (target) => createConnectTransport({ ...target, httpVersion: "1.1" }),
    "Connect over HTTP/2": (target) => createConnectTransport({ ...target, httpVersion: "2" }),
  };

  /** Fails unless the edge itself rejects this with an error in the form of each protocol. */
  const assertRefused = async (authorization: string | undefined) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const reached = lab.orders.tokens.length;
    const answers = [
      await lab.ask("GET", order, { as: null, headers }),
      await lab.ask("POST", "/gateway/orders", { as: null, headers, body: { userId: "alice" } }),
      await lab.ask("GET", "/gateway/orders/alice:watch", { as: null, headers }),
      await lab.ask("GET", "/gateway/nothing", { as: null, headers }),
    ];
    for (const answer of answers) assertUnauthenticated(answer);
    for (const createTransport of Object.values(transports)) {
      const orders = createClient(OrdersService, createTransport({ baseUrl: lab.url }));
      const asked = { userId: "alice", orderId: orderIds.known };
      const error = await failureOf(orders.getOrder(asked, { headers }));
      assertEdgeFailure(error, { code: Code.Unauthenticated, reason: "UNAUTHENTICATED", message });
      const watch = await failureOf(firstOf(orders.watchOrders({ userId: "alice" }, { headers })));
      assertEdgeFailure(watch, { code: Code.Unauthenticated, reason: "UNAUTHENTICATED", message });
    }
    assert.equal(lab.orders.tokens.length, reached, "it reached the service");
  };

  it("accepts a valid token, with the scheme in either case, and passes it on", async () => {
    const token = await lab.issuer.key.sign();
    for (const authorization of [`Bearer ${token}`, `bearer ${token}`]) {
      const answer = await lab.ask("GET", order, { headers: { authorization } });
      assert.equal(answer.status, 200, answer.body);
      assert.equal(lab.orders.tokens.at(-1), authorization);
    }
  });

  it("accepts a token signed with ES512", async () => {
    const authorization = `Bearer ${await lab.issuer.es512.sign()}`;
    assert.equal((await lab.ask("GET", order, { headers: { authorization } })).status, 200);
  });

  it("accepts a token that has another audience as well", async () => {
    const authorization = `Bearer ${await lab.issuer.key.sign({ aud: ["others", "settle"] })}`;
    assert.equal((await lab.ask("GET", order, { headers: { authorization } })).status, 200);
  });

  const refused: Record<string, () => Promise<string | undefined> | string | undefined> = {
    "no token": () => undefined,
    "an empty token": () => "Bearer ",
    "one that is not a JWT": () => "Bearer x",
    "one with a part missing": async () =>
      `Bearer ${(await lab.issuer.key.sign()).split(".").slice(0, 2).join(".")}`,
    "one with changed claims": async () => {
      const [header, , signature] = (await lab.issuer.key.sign()).split(".");
      const [, claims] = (await lab.issuer.key.sign({ sub: "bob" })).split(".");
      return `Bearer ${header}.${claims}.${signature}`;
    },
    "one without a scheme": () => lab.issuer.key.sign(),
    "one with another scheme": async () => `Basic ${await lab.issuer.key.sign()}`,
    "two tokens": async () => `Bearer ${await lab.issuer.key.sign()},Bearer x`,
    // Beyond the clock skew that the services allow, within Envoy's default.
    "one that has expired": async () => `Bearer ${await lab.issuer.key.sign({ exp: nowS() - 20 })}`,
    "one that never expires": async () => `Bearer ${await lab.issuer.key.sign({ exp: undefined })}`,
    "one that is not valid yet": async () =>
      `Bearer ${await lab.issuer.key.sign({ nbf: nowS() + 60 })}`,
    "one for another audience": async () =>
      `Bearer ${await lab.issuer.key.sign({ aud: "others" })}`,
    "one without an audience": async () =>
      `Bearer ${await lab.issuer.key.sign({ aud: undefined })}`,
    "one of another issuer": async () =>
      `Bearer ${await lab.issuer.key.sign({ iss: "https://other.example" })}`,
    "one without an issuer": async () => `Bearer ${await lab.issuer.key.sign({ iss: undefined })}`,
    "one signed by another key": async () => {
      await using other = await createIssuer(1);
      return `Bearer ${await other.key.sign()}`;
    },
    "one without a signature": () =>
      `Bearer ${new UnsecuredJWT(validClaims(lab)).setExpirationTime("1h").encode()}`,
    "one signed with the public key as a shared secret": async () => {
      const { published } = lab.issuer.key;
      const secret = new TextEncoder().encode(JSON.stringify(published));
      const token = new SignJWT(validClaims(lab)).setExpirationTime("1h");
      const header = { alg: "HS256", kid: published.kid ?? "" };
      return `Bearer ${await token.setProtectedHeader(header).sign(secret)}`;
    },
  };
  for (const [name, create] of Object.entries(refused)) {
    it(`refuses ${name}`, async () => assertRefused(await create()));
  }

  it("has the same verdict as the services, whatever a token says and how it says it", async () => {
    const { auth } = lab.issuer;
    const verifier = createTokenVerifier({
      auth: { ...auth, userClaim: "sub", scopeClaim: "scope" },
      clock: systemClock,
      log: testLog,
    });
    const verdictsOf = async (payload: string, header?: Readonly<Record<string, unknown>>) => {
      const authorization = `Bearer ${await lab.issuer.key.signText(payload, header)}`;
      const { status } = await lab.ask("GET", order, { headers: { authorization } });
      const verified = Promise.resolve().then(() => verifier.verify(authorization));
      const accepts = await verified.then(
        () => true,
        (error: unknown) => ConnectError.from(error).code !== Code.Unauthenticated,
      );
      return [status, accepts];
    };
    const claims = { iss: auth.issuer, aud: auth.audience, sub: "alice", exp: nowS() + 600 };
    const plain = JSON.stringify(claims);
    /** The valid claims with these members, as JSON, in addition or in place of others. */
    const withMembers = (members: string) => {
      const names = [...members.matchAll(/(?:^|,)"(\w+)":/g)].map(([, name = ""]) => name);
      const kept = Object.entries(claims).filter(([name]) => !names.includes(name));
      return JSON.stringify(Object.fromEntries(kept)).replace(/}$/, `,${members}}`);
    };

    const accepted = [
      ...["1E10", "9999999999.5", "99999999999"].map((exp) => `"exp":${exp}`),
      ...["0", "1.5"].flatMap((time) => [`"nbf":${time}`, `"iat":${time}`]),
      '"aud":["others","settle"]',
      '"scope":[]',
      '"n":"\\u0000é"',
    ];
    for (const members of accepted) {
      assert.deepEqual(await verdictsOf(withMembers(members)), [200, true], members);
    }
    for (const typ of ["JWT", "at+jwt", "application/AT+JWT"]) {
      assert.deepEqual(await verdictsOf(plain, { typ }), [200, true], typ);
    }

    const refused = [
      ...["1e400", "1e300", "1e20", "-1", "null", '"9999999999"', "[]"].flatMap((time) => [
        `"exp":${time}`,
        `"nbf":${time}`,
        `"iat":${time}`,
      ]),
      ...["null", "[]", '["alice"]', '""', "{}", "true", "1.5", "9007199254740992"].map(
        (sub) => `"sub":${sub}`,
      ),
      ...["null", "[]", '[["settle"]]', '["settle",5]', '"settle others"'].map(
        (aud) => `"aud":${aud}`,
      ),
      ...["null", '["https://issuer.example"]', '"https://issuer.example/"'].map(
        (iss) => `"iss":${iss}`,
      ),
      '"jti":5',
      '"scope":1e400',
      '"n":"\\ud800"',
      `"n":${"[".repeat(200)}${"]".repeat(200)}`,
      '"n":01',
    ];
    const texts = [
      ...refused.map(withMembers),
      plain.replace("{", '{"exp":1,'),
      plain.replace("{", '{"sub":"bob",'),
      plain.replace("{", '{"s\\u0075b":"bob",'),
      plain.replace("{", '{"scope":"a","scope":"admin",'),
      plain.replace("}", ",}"),
      `${plain} x`,
      `\ufeff${plain}`,
      "[]",
    ];
    for (const text of texts) assert.deepEqual(await verdictsOf(text), [401, false], text);
    const headers = [{ typ: "id+jwt" }, { typ: "application/ID+JWT" }, { typ: "logout+jwt" }];
    for (const header of [...headers, { typ: 5 }, { crit: ["x"], x: 1 }]) {
      assert.deepEqual(await verdictsOf(plain, header), [401, false], JSON.stringify(header));
    }
  });

  it("refuses two headers with a token, as services do", async () => {
    const token = `Bearer ${await lab.issuer.key.sign()}`;
    const other = `Bearer ${await lab.issuer.key.sign({ sub: "bob" })}`;
    for (const second of [token, other, "Bearer x"]) {
      const { status } = await lab.sendRaw(
        `GET ${order} HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\n` +
          `authorization: ${second}\r\nconnection: close\r\n\r\n`,
      );
      assert.equal(status, 401, second);
    }
  });

  it("refuses one in a query, where logs and histories would keep it", async () => {
    const token = await lab.issuer.key.sign();
    const reached = lab.orders.tokens.length;
    for (const name of ["access_token", "token", "authorization"]) {
      const path = `/gateway/orders/alice?${name}=${token}`;
      assertUnauthenticated(await lab.ask("GET", path, { as: null }));
    }
    const path = `/orders.v1.OrdersService/GetOrder?access_token=${token}`;
    const headers = { "content-type": "application/json" };
    const answer = await lab.ask("POST", path, { as: null, headers, body: { userId: "alice" } });
    assert.equal(answer.status, 401);
    const { code, message: text } = answer.json() as Record<string, unknown>;
    assert.deepEqual([code, text], ["unauthenticated", message]);
    assert.equal(lab.orders.tokens.length, reached);
  });

  it("refuses requests without one to paths that only look public", async () => {
    const paths = ["/healthzx", "/healthz/x", "/swaggerx", "/swaggerx/docs", "/HEALTHZ"];
    paths.push("/swagger/../gateway/orders/alice", "/gateway/orders/alice?/healthz");
    for (const path of paths) {
      assertUnauthenticated(await lab.ask("GET", path, { as: null }));
    }
    for (const path of [
      "/grpc.reflection.v1/../orders.v1.OrdersService/GetOrder",
      "/grpc.health",
    ]) {
      const headers = { "content-type": "application/grpc" };
      const answer = await lab.ask("POST", path, { as: null, headers });
      assert.equal(answer.headers["grpc-status"], String(Code.Unauthenticated), path);
    }
  });

  it("needs none for /healthz, the documents and reflection", async () => {
    assert.equal((await lab.ask("GET", "/healthz", { as: null })).status, 200);
    assert.equal((await lab.ask("GET", "/swagger/docs", { as: null })).status, 404);
    // buf fetches the schema first, without the header, and then makes the call.
    const args = ["curl", "--http2-prior-knowledge", "--protocol", "grpc", "--list-methods"];
    const { stdout } = await promisify(execFile)(buf, [...args, lab.url]);
    assert.match(stdout, /orders\.v1\.OrdersService\/WatchOrders/);
  });

  it("needs none for a CORS preflight", async () => {
    for (const path of [
      order,
      "/orders.v1.OrdersService/GetOrder",
      "/gateway/orders/alice:watch",
    ]) {
      const answer = await lab.ask("OPTIONS", path, {
        as: null,
        headers: {
          origin: page,
          "access-control-request-method": "GET",
          "access-control-request-headers": "authorization",
        },
      });
      assert.equal(answer.status, 200);
      assert.match(answer.headers["access-control-allow-headers"] ?? "", /\bauthorization\b/);
    }
  });

  it("lets a page read why it was refused", async () => {
    const asked: [method: string, path: string, contentType: string][] = [
      ["GET", order, "application/json"],
      ["GET", "/gateway/orders/alice:watch", "application/json"],
      ["POST", "/orders.v1.OrdersService/GetOrder", "application/json"],
      ["POST", "/orders.v1.OrdersService/GetOrder", "application/grpc-web+proto"],
    ];
    for (const [method, path, contentType] of asked) {
      const headers = { origin: page, "content-type": contentType };
      const answer = await lab.ask(method, path, { as: null, headers });
      assert.equal(answer.status, contentType.startsWith("application/grpc") ? 200 : 401);
      assert.equal(answer.headers["access-control-allow-origin"], page, path);
      const exposed = answer.headers["access-control-expose-headers"];
      assert.match(exposed ?? "", /grpc-status.*www-authenticate.*x-request-id/);
    }
  });

  it("does not reveal what is wrong with a token, nor repeat the Host header", async () => {
    for (const authorization of [
      "",
      "Bearer x",
      `Bearer ${await lab.issuer.key.sign({ exp: 1 })}`,
    ]) {
      const headers = { authorization, host: "secret.example" };
      const answer = await lab.ask("GET", order, { headers });
      assertUnauthenticated(answer);
      assert.doesNotMatch(JSON.stringify(answer), /secret\.example|Jwt |expired/);
    }
  });
});

describe("an edge whose issuer", () => {
  // In production this takes a minute.
  const changes = { "cache_duration: 60s": "cache_duration: 1s" };

  it("is unavailable starts anyway, and refuses tokens until it has the keys", async () => {
    await using lab = await startLab({ withIssuer: false });
    await lab.askUntil(200, "/healthz");
    assertUnauthenticated(await lab.ask("GET", order));
    assert.deepEqual(lab.orders.tokens, []);
    await lab.issuer.start();
    await lab.askUntil(200, order);
  });

  it("has an unknown name, or never answers, starts anyway", async () => {
    const silent = createServer(() => {});
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    for (const host of ["issuer.invalid", `127.0.0.1:${port}`]) {
      const auth = { issuer: "i", audience: "a", jwksUrl: `http://${host}/keys.json` };
      await using lab = await startLab({ settings: { auth } });
      await lab.askUntil(200, "/healthz");
      assertUnauthenticated(await lab.ask("GET", order));
    }
    silent.close();
  });

  it("becomes unavailable keeps using its keys", async () => {
    await using lab = await startLab({ changes });
    await lab.issuer.stop();
    await eventually("the edge misses the issuer", async () => {
      const stats = await fetch(`${lab.adminUrl}/stats?filter=jwks_fetch_failed`);
      return Number(/\d+$/m.exec(await stats.text())?.[0]) >= 2 || undefined;
    });
    // A token that is not in the edge's cache.
    const answer = await lab.ask("GET", "/gateway/orders/bob", { as: "bob" });
    assert.notEqual(answer.status, 401, answer.body);
  });

  it("rotates its key accepts tokens of both keys while both are published", async () => {
    await using lab = await startLab({ changes });
    const { key: old } = lab.issuer;
    const statusWith = async (key: SigningKey) => {
      // Not a token in the edge's cache.
      const token = await key.sign({ jti: randomUUID() });
      const headers = { authorization: `Bearer ${token}` };
      return (await lab.ask("GET", order, { headers })).status;
    };
    const until = (what: string, key: SigningKey, status: number) =>
      eventually(what, async () => (await statusWith(key)) === status || undefined);
    const young = await lab.issuer.addKey();
    await until("the edge knows the new key", young, 200);
    assert.equal(await statusWith(old), 200);
    assert.equal((await lab.ask("GET", order)).status, 200);
    lab.issuer.dropKey(old);
    await until("the edge has forgotten the old key", old, 401);
    assert.equal(await statusWith(young), 200);
    // A cached token stays valid until it expires.
    assert.equal((await lab.ask("GET", order)).status, 200);
  });
});

function validClaims({ issuer: { auth } }: Lab) {
  return { iss: auth.issuer, aud: auth.audience, sub: "alice" };
}

function assertUnauthenticated(answer: Answer): void {
  assertEdgeError(answer, { status: 401, code: 16, reason: "UNAUTHENTICATED", message });
  assert.equal(answer.headers["www-authenticate"], 'Bearer realm="settle"');
}

async function firstOf<Message>(stream: AsyncIterable<Message>): Promise<Message | undefined> {
  for await (const message of stream) return message;
  return undefined;
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => assert.fail("the call succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}
