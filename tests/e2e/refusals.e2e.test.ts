import assert from "node:assert/strict";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { eventually } from "@settle/chassis/testing";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { byGrpc, byRest, byTransport, type Way } from "../harness/calls/ways.ts";
import { assertWhole, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { type Replica, type System, startSystem } from "../harness/system/system.ts";
import { authorizationOf } from "../harness/system/tokens.ts";

const ordersPath = "/gateway/orders";
const accountsPath = "/gateway/payments/accounts";
const unknownId = "0190a7e4-0000-7000-8000-000000000001";
const maxAmount = 1_000_000_000_000n;

type Request = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

const post = (path: string, body: unknown): Request => ({ method: "POST", path, body });
const get = (path: string): Request => ({ method: "GET", path });
const money = { minorUnits: "100", currency: "EUR" };
const order = { userId: "alice", amount: money, description: "two tickets" };
const placing = (changes: object) => post(ordersPath, { ...order, ...changes });
const placingFor = (amount: unknown) => placing({ amount });
const paying = (minorUnits: unknown) => placingFor({ ...money, minorUnits });
const depositing = (amount: unknown) => post(`${accountsPath}/alice:deposit`, { amount });

type ConnectRefusal = {
  readonly code: string;
  readonly details: readonly {
    readonly debug: { readonly reason?: string; readonly fieldViolations?: { field: string }[] };
  }[];
};

/** Returns the token of the user in the request, or of some user if it names no valid one. */
async function tokenFor(path: string, body: unknown) {
  const [, inPath] = /\/(?:orders|accounts)\/([a-z]+)(?![a-z%])/.exec(path) ?? [];
  const { userId: inBody } = (typeof body === "object" ? body : {}) as { userId?: unknown };
  const userId = inPath ?? (typeof inBody === "string" ? inBody : "");
  const isUser = /^[a-z]{1,128}$/.test(userId);
  return { authorization: await authorizationOf(isUser ? userId : "somebody") };
}

describe("bad input through the edge", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let payments: Replica;

  before(async () => {
    system = await startSystem();
    const { ports } = system;
    const env = { USER_WRITES_PER_SECOND: "4", USER_PENDING_ORDERS: "10", USER_WATCHES: "1" };
    [payments] = await Promise.all([
      system.start("payments", { port: ports.payments }),
      system.start("orders", { port: ports.orders, env }),
    ]);
    await system.healthy();
    await createShopper(history, system.call).fundedAccount("alice", 1_000n);
  });
  after(() => system?.[Symbol.asyncDispose]());

  const assertRefused = async (
    { method, path, body, headers }: Request,
    expected: { status: number; code: Code; reason: string; domain: string; fields?: string[] },
  ) => {
    const response = await fetch(system.edgeUrl + path, {
      method,
      headers: { "content-type": "application/json", ...(await tokenFor(path, body)), ...headers },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.equal(response.status, expected.status, text);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.match(response.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
    const { code, message, details, ...rest } = JSON.parse(text);
    assert.deepEqual(rest, {});
    assert.equal(code, expected.code);
    assert.ok(typeof message === "string" && message.length > 0);
    const [info, bad, ...more] = details;
    assert.deepEqual(info, {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: expected.reason,
      domain: expected.domain,
      metadata: {},
    });
    assert.deepEqual(more, []);
    const fields = bad?.fieldViolations.map(({ field }: { field: string }) => field);
    assert.deepEqual(fields ?? [], expected.fields ?? []);
    if (bad) assert.equal(bad["@type"], "type.googleapis.com/google.rpc.BadRequest");
  };

  const broken: [string, Request, ...string[]][] = [
    ["nothing", placing({ userId: undefined, amount: undefined }), "userId", "amount"],
    ["no body", { method: "POST", path: ordersPath }, "userId", "amount"],
    ["no user", placing({ userId: undefined }), "userId"],
    ["an empty user", placing({ userId: "" }), "userId"],
    ["a user that starts with a dot", placing({ userId: ".alice" }), "userId"],
    ["a user with a space", placing({ userId: "a lice" }), "userId"],
    ["a user with U+0000", placing({ userId: "a\u0000" }), "userId"],
    ["a user with letters of another alphabet", placing({ userId: "алиса" }), "userId"],
    ["a user of 129 characters", placing({ userId: "a".repeat(129) }), "userId"],
    ["no amount", placingFor(undefined), "amount"],
    ["no minor units", placingFor({ currency: "EUR" }), "amount"],
    ["null for minor units", paying(null), "amount"],
    ["zero", paying("0"), "amount"],
    ["a negative amount", paying("-1"), "amount"],
    ["more than the largest amount", paying(String(maxAmount + 1n)), "amount"],
    ["the largest int64", paying("9223372036854775807"), "amount"],
    ["the smallest int64", paying("-9223372036854775808"), "amount"],
    ["no currency", placingFor({ minorUnits: "1" }), "amount.currency"],
    ["a currency in small letters", placingFor({ ...money, currency: "eur" }), "amount.currency"],
    ["a currency of four", placingFor({ ...money, currency: "EURO" }), "amount.currency"],
    ["a currency that never existed", placingFor({ ...money, currency: "ZZZ" }), "amount.currency"],
    ["U+0000 in text", placing({ description: "a\u0000b" }), "description"],
    ["text of 1,001 characters", placing({ description: "é".repeat(1_001) }), "description"],
    ["a negative page size", get(`${ordersPath}/alice?pageSize=-1`), "pageSize"],
    ["a page of -1", get(`${ordersPath}/alice?pageSize=-1`), "pageSize"],
    ["an overlong token", get(`${ordersPath}/alice?pageToken=${"x".repeat(513)}`), "pageToken"],
    ["a bad user in the path", get(`${ordersPath}/a%20b`), "userId"],
    ["a bad order id", get(`${ordersPath}/alice/not-a-uuid`), "orderId"],
  ];
  const brokenForPayments: [string, Request, ...string[]][] = [
    ["an account for nobody", post(accountsPath, { currency: "EUR" }), "userId"],
    ["an account in no currency", post(accountsPath, { userId: "bob", currency: "E" }), "currency"],
    ["an unknown currency", post(accountsPath, { userId: "bob", currency: "ZZZ" }), "currency"],
    ["a withdrawn currency", post(accountsPath, { userId: "bob", currency: "BGN" }), "currency"],
    ["a currency of no units", post(accountsPath, { userId: "bob", currency: "XAU" }), "currency"],
    ["a deposit of an unknown one", depositing({ ...money, currency: "ZZZ" }), "amount.currency"],
    ["a deposit of nothing", depositing(undefined), "amount"],
    ["a deposit of zero", depositing({ ...money, minorUnits: 0 }), "amount"],
    ["a negative deposit", depositing({ ...money, minorUnits: "-5" }), "amount"],
    ["a huge deposit", depositing({ ...money, minorUnits: String(maxAmount + 1n) }), "amount"],
    ["a page of -1 entries", get(`${accountsPath}/alice/entries?pageSize=-1`), "pageSize"],
    ["a payment of a bad order id", get(`${accountsPath}/alice/payments/1`), "orderId"],
  ];
  const ignoredByTheTranscoder: [string, Request, ...string[]][] = [
    ["a misspelt field", placing({ expireAfer: "1s" }), "expireAfer"],
    ["a misspelt field of an amount", placingFor({ ...money, curency: "USD" }), "amount.curency"],
    ["a misspelt currency", post(accountsPath, { userId: "bob", curency: "EUR" }), "curency"],
    ["two amounts", post(ordersPath, '{"amount":{},"amount":{}}'), "amount"],
    ["two statuses", get(`${ordersPath}/alice?status=1&status=2`), "status"],
    ["a user beside the path", post(`${accountsPath}/alice:deposit`, { userId: "bob" }), "userId"],
  ];
  for (const [domain, requests] of [
    ["orders.settle", broken],
    ["payments.settle", brokenForPayments],
    ["edge.settle", ignoredByTheTranscoder],
  ] as const) {
    for (const [what, request, ...fields] of requests) {
      it(`is refused by ${domain}, which names the field: ${what}`, () =>
        assertRefused(request, {
          status: 400,
          code: Code.InvalidArgument,
          reason: "VALIDATION_FAILED",
          domain,
          fields,
        }));
    }
  }

  const malformed: [string, Request][] = [
    ["half an object", post(ordersPath, "{")],
    ["a missing value", post(ordersPath, '{"userId":}')],
    ["an array", post(ordersPath, "[]")],
    ["null", post(ordersPath, "null")],
    ["half a surrogate pair", post(ordersPath, '{"description": "\\ud800"}')],
    ["a number for a user", placing({ userId: 7 })],
    ["a list for a user", placing({ userId: ["alice"] })],
    ["a number for text", placing({ description: 7 })],
    ["text for an amount", placingFor("100")],
    ["letters for minor units", paying("ten")],
    ["a fraction", paying(1.5)],
    ["more than an int64", paying("9223372036854775808")],
    ["more than a double can represent exactly", paying(1e300)],
    ["a boolean for minor units", paying(true)],
    ["a number for a currency", placingFor({ ...money, currency: 978 })],
    ["letters for a page size", get(`${ordersPath}/alice?pageSize=ten`)],
    ["an unknown query parameter", get(`${ordersPath}/alice?colour=red`)],
    ["another user in the query", get(`${accountsPath}/alice?userId=bob`)],
    ["another user as the proto spells it", get(`${accountsPath}/alice/entries?user_id=bob`)],
    ["another user, escaped", get(`${ordersPath}/alice?pageSize=1&user%49d=bob`)],
    ["another order in the query", get(`${ordersPath}/alice/${unknownId}?orderId=${unknownId}`)],
    ["another user beside a body", post(`${ordersPath}?userId=bob`, order)],
    ["another amount beside a body", post(`${ordersPath}?amount.minorUnits=7`, order)],
    [
      "another user beside a deposit",
      post(`${accountsPath}/alice:deposit?userId=bob`, { amount: money }),
    ],
    ["an escaped slash", get(`${ordersPath}/a%2Fb`)],
    ["U+0000 in the path", get(`${ordersPath}/a%00b`)],
    ["a header with an underscore", { ...get(`${ordersPath}/alice`), headers: { a_b: "1" } }],
  ];
  for (const [what, request] of malformed) {
    it(`is refused by the edge as malformed: ${what}`, () =>
      assertRefused(request, {
        status: 400,
        code: Code.InvalidArgument,
        reason: "MALFORMED_REQUEST",
        domain: "edge.settle",
      }));
  }

  const unrouted: [string, Request][] = [
    ["the root, except to read it", post("/", {})],
    ["another path", get("/orders")],
    ["a path below the gateway", get("/gateway/baskets")],
    ["a longer path", get(`${ordersPath}/alice/${unknownId}/items`)],
    ["another method", { method: "PUT", path: ordersPath, body: order }],
    ["an unsupported method", { method: "DELETE", path: `${ordersPath}/alice/${unknownId}` }],
    ["an unknown verb", post(`${ordersPath}/alice:fly`, {})],
  ];
  for (const [what, request] of unrouted) {
    it(`is refused by the edge as an unknown route: ${what}`, () =>
      assertRefused(request, {
        status: 404,
        code: Code.NotFound,
        reason: "ROUTE_NOT_FOUND",
        domain: "edge.settle",
      }));
  }

  it("is refused by the edge when it is too large", async () => {
    const expected = {
      code: Code.ResourceExhausted,
      reason: "REQUEST_TOO_LARGE",
      domain: "edge.settle",
    };
    const large = "x".repeat(70_000);
    await assertRefused(placing({ description: large }), { ...expected, status: 413 });
    const headers = { "x-large": "y".repeat(20_000) };
    await assertRefused({ ...get(`${ordersPath}/alice`), headers }, { ...expected, status: 431 });
  });

  const absent: [Request, string, string][] = [
    [get(`${ordersPath}/alice/${unknownId}`), "ORDER_NOT_FOUND", "orders.settle"],
    [get(`${accountsPath}/bob`), "ACCOUNT_NOT_FOUND", "payments.settle"],
    [get(`${accountsPath}/bob/entries`), "ACCOUNT_NOT_FOUND", "payments.settle"],
    [
      post(`${accountsPath}/bob:deposit`, { amount: money }),
      "ACCOUNT_NOT_FOUND",
      "payments.settle",
    ],
    [get(`${accountsPath}/alice/payments/${unknownId}`), "PAYMENT_NOT_FOUND", "payments.settle"],
  ];
  for (const [request, reason, domain] of absent) {
    it(`is refused as not found: ${request.method} ${request.path}`, () =>
      assertRefused(request, { status: 404, code: Code.NotFound, reason, domain }));
  }

  it("is refused if it conflicts with the stored state", async () => {
    const domain = "payments.settle";
    const conflict = { status: 409, code: Code.AlreadyExists, reason: "ACCOUNT_ALREADY_EXISTS" };
    const again = post(accountsPath, { userId: "alice", currency: "USD" });
    await assertRefused(again, { ...conflict, domain });
    const failed = { status: 400, code: Code.FailedPrecondition, domain };
    const dollars = depositing({ ...money, currency: "USD" });
    await assertRefused(dollars, { ...failed, reason: "CURRENCY_MISMATCH" });
  });

  const connectPath = "/orders.v1.OrdersService/CreateOrder";
  const amount = '{"minorUnits":1,"currency":"EUR"}';
  const inConnect: [string, string | Uint8Array, string, ...string[]][] = [
    [
      "an unknown field",
      JSON.stringify({ ...order, expireAfer: "1s" }),
      "VALIDATION_FAILED",
      "expireAfer",
    ],
    [
      "an unknown field of a field",
      JSON.stringify({ ...order, amount: { ...money, curency: "USD" } }),
      "VALIDATION_FAILED",
      "amount.curency",
    ],
    [
      "a field twice",
      `{"userId":"alice","amount":${amount},"amount":${amount}}`,
      "VALIDATION_FAILED",
      "amount",
    ],
    [
      "a field by both of its names",
      `{"userId":"alice","user\\u005fid":"alice","amount":${amount}}`,
      "VALIDATION_FAILED",
      "userId",
    ],
    [
      "text that is not UTF-8",
      Buffer.from(`{"userId":"alice","amount":${amount},"description":"caf\xe9"}`, "latin1"),
      "MALFORMED_REQUEST",
    ],
    ["single quotes", "{'userId':'alice'}", "MALFORMED_REQUEST"],
  ];
  for (const [what, body, reason, ...fields] of inConnect) {
    it(`is refused by Connect: ${what}`, async () => {
      const response = await fetch(system.edgeUrl + connectPath, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: await authorizationOf("alice"),
        },
        body,
      });
      const { code, details } = (await response.json()) as ConnectRefusal;
      assert.equal(`${response.status} ${code}`, "400 invalid_argument");
      const [info, bad] = details;
      assert.deepEqual(info?.debug, { reason, domain: "orders.settle" });
      const named = bad?.debug.fieldViolations?.map(({ field }) => field);
      assert.deepEqual(named ?? [], fields);
    });
  }

  it("is refused in a stream of Connect by the name of the field", async () => {
    const json = Buffer.from('{"userId":"alice","sinse":1}');
    const head = Buffer.alloc(5);
    head.writeUInt32BE(json.length, 1);
    const response = await fetch(`${system.edgeUrl}/orders.v1.OrdersService/WatchOrders`, {
      method: "POST",
      headers: {
        "content-type": "application/connect+json",
        authorization: await authorizationOf("alice"),
      },
      body: Buffer.concat([head, json]),
    });
    const end = Buffer.from(await response.arrayBuffer())
      .subarray(5)
      .toString();
    const { error } = JSON.parse(end) as { error: ConnectRefusal & { message: string } };
    assert.equal(`${error.code} ${error.message}`, "invalid_argument sinse: no such field");
    assert.equal(error.details[0]?.debug.reason, "VALIDATION_FAILED");
  });

  it("is refused with its reason if its deadline is a millisecond or less", async () => {
    for (const timeout of ["1n", "1u", "1n", "1n"]) {
      await assertRefused(
        { ...get(`${ordersPath}/alice`), headers: { "grpc-timeout": timeout } },
        {
          status: 504,
          code: Code.DeadlineExceeded,
          reason: "DEADLINE_EXCEEDED",
          domain: "orders.settle",
        },
      );
    }
  });

  it("has no effect on the stored state", async () => {
    await assertWhole(system, history);
    for (const [service, keys] of [
      ["orders", 0],
      // Of the account and its deposit.
      ["payments", 2],
    ] as const) {
      const { rows } = await system.databases[service].query("SELECT key FROM idempotency_keys");
      assert.equal(rows.length, keys, `${service} keeps keys of refused calls`);
    }
  });

  describe("beyond a quota of its user", () => {
    const { createOrder, cancelOrder, watchOrders } = OrdersService.method;
    const atEdge = () => system.edgeUrl;
    const ways: Readonly<Record<string, Way>> = {
      REST: byRest(atEdge),
      gRPC: byGrpc(atEdge),
      "gRPC-Web": byTransport((baseUrl) => createGrpcWebTransport({ baseUrl }), atEdge),
      Connect: byTransport((baseUrl) => createConnectTransport({ baseUrl }), atEdge),
    };
    const amount = { minorUnits: 1n, currency: "EUR" };
    const call = async (way: Way | undefined, method: DescMethod, userId: string, more = {}) =>
      (await way?.(method, { userId, ...more }, await authorizationOf(userId))) ?? assert.fail();
    const placeWithKey = async (userId: string) =>
      fetch(system.edgeUrl + ordersPath, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "idempotency-key": "the-first",
          ...(await tokenFor(ordersPath, { userId })),
        },
        body: JSON.stringify({ ...order, userId }),
      });
    const replayed = async (userId: string) =>
      (await placeWithKey(userId)).headers.get("idempotency-replayed") === "true" || undefined;

    // Orders stay pending.
    before(() => payments.kill());

    it("of writes in a time is refused by every protocol, while others are served", async () => {
      assert.equal((await placeWithKey("hasty")).status, 200);
      for (const [name, way] of Object.entries(ways)) {
        const write = (userId: string) => call(way, cancelOrder, userId, { orderId: unknownId });
        const calls = await Promise.all(Array.from({ length: 45 }, () => write("hasty")));
        const refused = calls.filter(({ reason }) => reason !== "ORDER_NOT_FOUND");
        assert.ok(refused.length > 0, name);
        for (const { code, reason, message } of refused) {
          assert.deepEqual([code, reason], [Code.ResourceExhausted, "QUOTA_EXCEEDED"], name);
          const rule = "a user may make 4 calls that change data per second; try again in 1 s";
          assert.equal(message, rule);
        }
        assert.equal((await write("bob")).reason, "ORDER_NOT_FOUND", name);
      }
      await eventually("the first call is answered again", () => replayed("hasty"));
    });

    it("of pending orders is refused by every protocol until there is room", async () => {
      assert.equal((await placeWithKey("hoarder")).status, 200);
      const place = (way: Way | undefined, userId: string) =>
        call(way, createOrder, userId, { amount });
      for (let nth = 1; nth < 10; nth += 1) {
        assert.equal((await place(ways.gRPC, "hoarder")).code, 0, `order ${nth}`);
      }
      for (const [name, way] of Object.entries(ways)) {
        const { code, reason, message } = await place(way, "hoarder");
        assert.deepEqual([code, reason], [Code.ResourceExhausted, "QUOTA_EXCEEDED"], name);
        assert.match(message, /^a user may have 10 orders whose payment is pending; try again/);
        assert.equal((await place(way, "carol")).code, 0, name);
      }
      assert.ok(await replayed("hoarder"), "an order that was accepted is not refused");
      const [pending] = (
        await system.databases.orders.query("SELECT id FROM orders WHERE user_id = 'hoarder'")
      ).rows;
      const cancelled = await call(ways.REST, cancelOrder, "hoarder", { orderId: pending.id });
      assert.equal(cancelled.code, 0);
      await eventually("there is room again", async () =>
        (await place(ways.REST, "hoarder")).code === 0 ? true : undefined,
      );
    });

    it("of watches is refused by every protocol", async () => {
      const watching = await fetch(`${system.edgeUrl}${ordersPath}/alice:watch`, {
        headers: { authorization: await authorizationOf("alice") },
      });
      const reader = watching.body?.getReader();
      await reader?.read();
      for (const [name, way] of Object.entries(ways)) {
        const { code, reason } = await call(way, watchOrders, "alice");
        assert.deepEqual([code, reason], [Code.ResourceExhausted, "TOO_MANY_STREAMS"], name);
        assert.equal((await call(way, watchOrders, "bob")).code, 0, name);
      }
      await reader?.cancel();
    });
  });
});
