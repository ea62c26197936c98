import assert from "node:assert/strict";
import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { type Lab, startLab } from "./lab.ts";
import { orderIds } from "./upstream.ts";

const page = "http://localhost:5173";
const connectCall = { "content-type": "application/json" };
const getAccount = "/payments.v1.PaymentsService/GetAccount";
const account = "/gateway/payments/accounts/alice";

describe("across the edge", () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  /** Returns the headers with which the next request reaches payments. */
  const seenOf = async (headers: Record<string, string>, path = account) => {
    const method = path.startsWith("/gateway") ? "GET" : "POST";
    const answer = await lab.ask(method, path, { headers, body: { userId: "alice" } });
    assert.equal(answer.status, 200, answer.body);
    const seen = lab.payments.seen.at(-1);
    assert.ok(seen);
    return { seen, answer };
  };

  it("the Host header of a caller does not reach a service", async () => {
    for (const host of ["[", "%", "x:99999", "", "payments.example"]) {
      const { seen } = await seenOf({ ...connectCall, host }, getAccount);
      assert.equal(seen.get("host"), "payments");
      await seenOf({ host });
    }
    for (const authority of ["[", "%", "x:99999"]) {
      const session = connect(lab.url);
      const { authorization } = lab;
      const stream = session.request({ ":path": account, ":authority": authority, authorization });
      assert.match(await text(stream), /"userId":"alice"/);
      session.close();
    }
    for (const host of ["a b", "a/b", "\u00ff"]) {
      const answer = await lab.ask("GET", account, { headers: { host } });
      assert.equal(answer.status, 400, host);
    }
  });

  it("a request gets an id from the edge, which the response carries", async () => {
    for (const path of [account, getAccount]) {
      const { seen, answer } = await seenOf({ ...connectCall, "x-request-id": "forged" }, path);
      assert.match(seen.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
      assert.equal(answer.headers["x-request-id"], seen.get("x-request-id"));
    }
  });

  it("the address of a caller is that of its connection", async () => {
    const forged = { "x-forwarded-for": "192.0.2.99", "x-envoy-external-address": "192.0.2.99" };
    const { seen } = await seenOf({ ...connectCall, ...forged }, getAccount);
    assert.match(seen.get("x-forwarded-for") ?? "", /^192\.0\.2\.99, ?(?!192\.0\.2\.99)/);
    assert.equal(seen.get("x-envoy-external-address"), null);
  });

  it("the headers that callers need are passed on", async () => {
    const { authorization } = lab;
    const passed = { authorization, "idempotency-key": "k", prefer: "wait=5" };
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { seen } = await seenOf({ ...passed, traceparent });
    for (const [name, value] of Object.entries({ ...passed, traceparent })) {
      assert.equal(seen.get(name), value);
    }
  });

  it("no response reveals internals", async () => {
    const paths = ["/healthz", "/nothing", "/gateway/orders/alice?nothing=1"];
    paths.push("/gateway/orders/alice", `/gateway/orders/alice/${orderIds.missing}`);
    for (const path of paths) {
      const { headers } = await lab.ask("GET", path);
      assert.equal(headers.server, "settle");
      const names = Object.keys(headers).filter((name) => /^x-(?!request-id$)|^via$/.test(name));
      assert.deepEqual(names, [], path);
    }
  });

  it("paths are normalised before a route is chosen", async () => {
    const paths = ["//gateway//payments/accounts//alice", `/nothing/..${account}`];
    paths.push("/gateway/payments/./accounts/%61lice");
    for (const path of paths) {
      const answer = await lab.ask("GET", path);
      assert.equal((answer.json() as { userId: string }).userId, "alice", answer.body);
    }
    assert.equal((await lab.ask("GET", "/gateway/payments/../../orders/alice")).status, 404);
  });

  describe("a page of a known origin", () => {
    const preflight = (origin: string, path: string) =>
      lab.ask("OPTIONS", path, {
        as: null,
        headers: {
          origin,
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type,idempotency-key",
        },
      });

    it("may send the methods and headers that the contract names", async () => {
      for (const path of ["/gateway/orders", getAccount, "/gateway/nothing"]) {
        const { status, headers } = await preflight(page, path);
        assert.equal(status, 200);
        assert.equal(headers["access-control-allow-origin"], page);
        assert.equal(headers["access-control-allow-methods"], "GET, POST");
        const allowed = headers["access-control-allow-headers"]?.split(/, */);
        for (const name of ["authorization", "idempotency-key", "prefer", "traceparent"]) {
          assert.ok(allowed?.includes(name), name);
        }
        assert.equal(headers["access-control-allow-credentials"], undefined);
      }
    });

    it("may read responses and errors, and the headers that the contract names", async () => {
      const paths = [account, "/gateway/nothing", "/gateway/orders/alice?x=1"];
      for (const path of paths) {
        const { headers } = await lab.ask("GET", path, { headers: { origin: page } });
        assert.equal(headers["access-control-allow-origin"], page, path);
        const exposed = headers["access-control-expose-headers"]?.split(/, */).sort();
        assert.deepEqual(exposed, [
          "grpc-message",
          "grpc-status",
          "grpc-status-details-bin",
          "idempotency-replayed",
          "preference-applied",
          "retry-after",
          "www-authenticate",
          "x-request-id",
        ]);
      }
    });

    it("gets CORS headers, and a page of another origin gets none", async () => {
      for (const origin of ["http://localhost:5174", "https://localhost:5173", "null"]) {
        const { headers } = await preflight(origin, "/gateway/orders");
        assert.equal(headers["access-control-allow-origin"], undefined);
        const answer = await lab.ask("GET", "/gateway/orders/alice", { headers: { origin } });
        assert.equal(answer.headers["access-control-allow-origin"], undefined);
      }
    });
  });
});
