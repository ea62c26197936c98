import assert from "node:assert/strict";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { OrdersOpsService } from "@settle/gen/orders/ops/v1/orders_ops_service_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsOpsService } from "@settle/gen/payments/ops/v1/payments_ops_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { successOf } from "../harness/calls/call.ts";
import { byGrpc, byRest, byTransport, type UrlOf, type Way } from "../harness/calls/ways.ts";
import { assertWhole, checkTimeoutMs } from "../harness/checker/checker.ts";
import {
  createHistory,
  createShopper,
  defaultCurrency as currency,
} from "../harness/checker/history.ts";
import {
  type Replica,
  type ServiceName,
  type System,
  startSystem,
} from "../harness/system/system.ts";
import { authorizationOf, openTestIssuer } from "../harness/system/tokens.ts";

const callTimeoutMs = 20_000;
const methods: readonly DescMethod[] = [
  ...OrdersService.methods,
  ...PaymentsService.methods,
  ...OrdersOpsService.methods,
  ...PaymentsOpsService.methods,
];
const unknownId = "0190a7e4-0000-7000-8000-000000000001";
const edgeWords = "Send a valid token: `authorization: Bearer <JWT>`.";

/**
 * The result of each method for a request about alice, by caller: with a valid token, and without
 * one. A permitted caller gets OK, or the refusal of the request itself.
 */
const outcomes = readTable(`
  method            | owner                  | other  | wrong scope | admin  | deposit | ops    | ops.read | nobody
  CreateOrder       | OK                     | denied | denied      | denied | denied  | denied | denied   | unauthenticated
  GetOrder          | OK                     | denied | denied      | OK     | denied  | denied | denied   | unauthenticated
  ListOrders        | OK                     | denied | denied      | OK     | denied  | denied | denied   | unauthenticated
  CancelOrder       | ORDER_NOT_CANCELLABLE  | denied | denied      | denied | denied  | denied | denied   | unauthenticated
  WatchOrders       | OK                     | denied | denied      | OK     | denied  | denied | denied   | unauthenticated
  CreateAccount     | ACCOUNT_ALREADY_EXISTS | denied | denied      | denied | denied  | denied | denied   | unauthenticated
  GetAccount        | OK                     | denied | denied      | OK     | denied  | denied | denied   | unauthenticated
  Deposit           | OK                     | denied | denied      | denied | OK      | denied | denied   | unauthenticated
  ListLedgerEntries | OK                     | denied | denied      | OK     | denied  | denied | denied   | unauthenticated
  GetPayment        | OK                     | denied | denied      | OK     | denied  | denied | denied   | unauthenticated
  RefundPayment     | denied                 | denied | denied      | OK     | denied  | denied | denied   | unauthenticated
  GetStatus         | denied                 | denied | denied      | denied | denied  | OK     | OK       | unauthenticated
  ListDeadLetters     | denied                 | denied | denied      | denied | denied  | OK | OK | unauthenticated
  GroupDeadLetters    | denied                 | denied | denied      | denied | denied  | OK | OK | unauthenticated
  GetDeadLetter       | denied                 | denied | denied      | denied | denied  | DEAD_LETTER_NOT_FOUND | DEAD_LETTER_NOT_FOUND | unauthenticated
  RedriveDeadLetters  | denied                 | denied | denied      | denied | denied  | OK | denied | unauthenticated
  ParkDeadLetters     | denied                 | denied | denied      | denied | denied  | OK | denied | unauthenticated
  DiscardDeadLetters  | denied                 | denied | denied      | denied | denied  | OK | denied | unauthenticated
  ListOperatorActions | denied                 | denied | denied      | denied | denied  | OK | OK | unauthenticated
`);

/** The callers with a valid token: the user and the scopes. */
const callers: Readonly<Record<string, readonly [userId: string, ...scopes: string[]]>> = {
  owner: ["alice"],
  other: ["mallory"],
  "wrong scope": [
    "mallory",
    "audit",
    "Admin",
    "administrator",
    "deposits",
    "admin,deposit",
    "ops.",
    "Ops",
  ],
  admin: ["root", "admin"],
  deposit: ["till", "deposit"],
  ops: ["oncall", "ops"],
  "ops.read": ["watcher", "ops.read"],
};

/** The requests of each method about an order. */
const requests: Readonly<Record<string, (order: { userId: string; orderId: string }) => object>> = {
  CreateOrder: ({ userId }) => ({ userId, amount: amountOf(5n), description: "two tickets" }),
  GetOrder: (order) => order,
  ListOrders: ({ userId }) => ({ userId }),
  CancelOrder: (order) => order,
  WatchOrders: ({ userId }) => ({ userId }),
  CreateAccount: ({ userId }) => ({ userId, currency }),
  GetAccount: ({ userId }) => ({ userId }),
  Deposit: ({ userId }) => ({ userId, amount: amountOf(5n) }),
  ListLedgerEntries: ({ userId }) => ({ userId }),
  GetPayment: (order) => order,
  RefundPayment: (order) => ({ ...order, amount: amountOf(1n) }),
  GetStatus: () => ({}),
  ListDeadLetters: () => ({}),
  GroupDeadLetters: () => ({}),
  GetDeadLetter: () => ({ id: unknownId }),
  RedriveDeadLetters: () => ({ selection: {}, reason: "a test" }),
  ParkDeadLetters: () => ({ selection: {}, reason: "a test" }),
  DiscardDeadLetters: () => ({ selection: {}, reason: "a test" }),
  ListOperatorActions: () => ({}),
};

/** Invalid tokens of alice, with every scope. */
const hostile: Readonly<Record<string, () => Promise<string | undefined>>> = {
  anonymous: async () => undefined,
  expired: () => signed({ exp: nowS() - 60 }),
  "without an end": () => signed({ exp: undefined }),
  "not begun": () => signed({ nbf: nowS() + 60 }),
  "wrong audience": () => signed({ aud: "others" }),
  "wrong issuer": () => signed({ iss: "https://other.example" }),
  "alg none": async () => new UnsecuredJWT(await claimsOf(await signed())).encode(),
  "wrong key": async () => {
    const { privateKey } = await generateKeyPair("ES256");
    return signedWith("ES256", privateKey);
  },
  "the public key as a secret": async () => {
    const [key] = (await openTestIssuer()).jwks().keys;
    return signedWith("HS256", new TextEncoder().encode(JSON.stringify(key)));
  },
  "another's signature": async () => {
    const [header, claims] = (await signed()).split(".");
    const other = await (await openTestIssuer()).sign({ userId: "mallory" });
    return `${header}.${claims}.${other.split(".")[2]}`;
  },
};

describe("the table of permitted callers", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let replicas: Readonly<Record<ServiceName, Replica>>;
  let order: { userId: string; orderId: string };
  let untouched: string;

  before(async () => {
    system = await startSystem();
    replicas = await system.startBoth();
    const shopper = createShopper(history, system.call);
    await shopper.fundedAccount("alice", 1_000n);
    const { id: orderId, userId } = await successOf(shopper.createOrder("alice", 100n));
    order = { userId, orderId };
    await assertWhole(system, history);
    untouched = await readEverything(system);
  });
  after(() => system?.[Symbol.asyncDispose]());

  const atEdge: UrlOf = () => system.edgeUrl;
  const atService: UrlOf = (service) => urlIn(replicas, service);
  const ways: Readonly<Record<string, Way>> = {
    REST: byRest(atEdge),
    gRPC: byGrpc(atEdge),
    "gRPC-Web": byTransport((baseUrl) => createGrpcWebTransport({ baseUrl }), atEdge),
    Connect: byTransport((baseUrl) => createConnectTransport({ baseUrl }), atEdge),
    "gRPC straight": byGrpc(atService),
    "Connect straight": byTransport((baseUrl) => createConnectTransport({ baseUrl }), atService),
  };
  const everyWay = async (look: (way: Way, name: string) => Promise<void>) => {
    for (const [name, way] of Object.entries(ways)) await look(way, name);
  };
  const requestOf = ({ name }: DescMethod, about = order) =>
    requests[name]?.(about) ?? assert.fail(`no request is known for ${name}`);
  const outcomeOf = ({ name }: DescMethod, caller: string) =>
    outcomes.get(name)?.get(caller) ?? assert.fail(`${name} by ${caller} is not written down`);
  const assertUnchanged = async () => assert.equal(await readEverything(system), untouched);

  it("lists every method, and no other", () => {
    const inputs = new Map(methods.map(({ name, input }) => [name, input]));
    for (const { name, input } of methods) assert.equal(input, inputs.get(name), name);
    assert.deepEqual([...outcomes.keys()].sort(), [...inputs.keys()].sort());
  });

  for (const method of methods) {
    it(`${method.parent.name}.${method.name}: denied without a valid token`, async () => {
      assert.equal(outcomeOf(method, "nobody"), "unauthenticated");
      for (const [what, create] of Object.entries(hostile)) {
        const token = await create();
        const authorization = token && `Bearer ${token}`;
        await everyWay(async (way, name) => {
          const { code, reason, message } = await way(method, requestOf(method), authorization);
          assert.equal(code, Code.Unauthenticated, `${what} by ${name}`);
          assert.equal(reason, "UNAUTHENTICATED", `${what} by ${name}`);
          if (!name.endsWith("straight")) assert.equal(message, edgeWords);
        });
      }
    });

    it(`${method.parent.name}.${method.name}: denied to every caller that the table denies`, async () => {
      const denied = Object.keys(callers).filter((who) => outcomeOf(method, who) === "denied");
      assert.ok(denied.includes("other") && denied.includes("wrong scope"));
      for (const who of denied) {
        const [userId = "", ...scopes] = callers[who] ?? [];
        const authorization = await authorizationOf(userId, scopes);
        // None of this exists, except the owner of methods that deny even owners.
        const nobody = who === "owner" ? userId : "nobody-at-all";
        const nothing = requestOf(method, { userId: nobody, orderId: unknownId });
        await everyWay(async (way, name) => {
          const seen = await way(method, requestOf(method), authorization);
          assert.equal(seen.code, Code.PermissionDenied, `${who} by ${name}`);
          assert.equal(seen.reason, "PERMISSION_DENIED", `${who} by ${name}`);
          assert.deepEqual(await way(method, nothing, authorization), seen, `${who} by ${name}`);
        });
      }
    });
  }

  it("reveals no order of another user by its id", async () => {
    const asked: [DescMethod, reason: string, ...scopes: string[]][] = [
      [OrdersService.method.getOrder, "ORDER_NOT_FOUND"],
      [OrdersService.method.cancelOrder, "ORDER_NOT_FOUND"],
      [PaymentsService.method.getPayment, "PAYMENT_NOT_FOUND"],
      [PaymentsService.method.refundPayment, "PAYMENT_NOT_FOUND", "admin"],
    ];
    for (const [method, reason, ...scopes] of asked) {
      const authorization = await authorizationOf("mallory", scopes);
      await everyWay(async (way, name) => {
        const of = async (orderId: string) => {
          const request = requestOf(method, { userId: "mallory", orderId });
          const { whole, ...seen } = await way(method, request, authorization);
          assert.equal(`${seen.code} ${seen.reason}`, `${Code.NotFound} ${reason}`, name);
          return whole.replaceAll(orderId, "");
        };
        if (name.startsWith("gRPC")) await of(unknownId);
        else assert.equal(await of(order.orderId), await of(unknownId));
      });
    }
  });

  it("applies to the user in the path; the body cannot name one as well", async () => {
    const authorization = await authorizationOf("mallory");
    const amount = { minorUnits: "5", currency };
    const deposit = async (userId: string, body: object) => {
      const response = await fetch(
        `${system.edgeUrl}/gateway/payments/accounts/${userId}:deposit`,
        {
          method: "POST",
          headers: { authorization, "content-type": "application/json" },
          body: JSON.stringify(body),
        },
      );
      return `${response.status} ${JSON.parse(await response.text()).message}`;
    };
    const bodies = (userId: string) => [
      { userId, amount },
      { amount, userId },
      { user_id: userId, amount },
      { amount, user_id: userId },
    ];
    for (const body of [...bodies("alice"), ...bodies("mallory")]) {
      for (const userId of ["alice", "mallory"]) {
        assert.match(await deposit(userId, body), /^400 userId: is set by the path/);
      }
    }
    assert.match(await deposit("mallory", { amount }), /^404 user mallory has no account/);
    assert.match(await deposit("alice", { amount }), /^403 /);
  });

  it("leaves no effect of refused calls", assertUnchanged);

  for (const method of methods) {
    it(`${method.parent.name}.${method.name}: allowed to every caller that the table allows`, async () => {
      for (const [who, [userId, ...scopes]] of Object.entries(callers)) {
        const expected = outcomeOf(method, who);
        if (expected === "denied") continue;
        const authorization = await authorizationOf(userId, scopes);
        await everyWay(async (way, name) => {
          const { code, reason } = await way(method, requestOf(method), authorization);
          assert.equal(code === 0 ? "OK" : reason, expected, `${who} by ${name}`);
        });
      }
    });
  }
});

describe("a service in production", function () {
  this.timeout(checkTimeoutMs);
  const { deposit } = PaymentsService.method;
  const production = { NODE_ENV: "production" };
  let system: System;
  let replicas: Readonly<Record<ServiceName, Replica>>;

  before(async () => {
    system = await startSystem();
    const { ports } = system;
    const [orders, payments] = await Promise.all([
      system.start("orders", { port: ports.orders, env: production }),
      system.start("payments", { port: ports.payments, env: production }),
    ]);
    replicas = { orders, payments };
    await system.healthy();
    await createShopper(createHistory(), system.call).createAccount("alice");
  });
  after(() => system?.[Symbol.asyncDispose]());

  const request = { userId: "alice", amount: amountOf(5n) };
  const outcomeOf = async (way: Way, userId: string, ...scopes: string[]) => {
    const { code, reason } = await way(deposit, request, await authorizationOf(userId, scopes));
    return code === 0 ? "OK" : reason;
  };
  const assertOnlyByScope = async (way: Way) => {
    for (const scopes of [[], ["admin"], ["deposits"]]) {
      assert.equal(await outcomeOf(way, "alice", ...scopes), "PERMISSION_DENIED");
    }
    assert.equal(await outcomeOf(way, "alice", "deposit"), "OK");
    assert.equal(await outcomeOf(way, "till", "other", "deposit"), "OK");
  };

  it("refuses deposits by the owners of accounts", async () => {
    const straight: UrlOf = (service) => urlIn(replicas, service);
    const atEdge: UrlOf = () => system.edgeUrl;
    for (const way of [byRest(atEdge), byGrpc(atEdge), byGrpc(straight)]) {
      await assertOnlyByScope(way);
    }
  });

  it("accepts them if configured to; outside production they can be turned off", async () => {
    const closed = await system.start("payments", { env: { SELF_DEPOSIT: "false" } });
    await assertOnlyByScope(byGrpc(() => closed.url));
    const open = await system.start("payments", { env: { ...production, SELF_DEPOSIT: "true" } });
    assert.equal(
      await outcomeOf(
        byGrpc(() => open.url),
        "alice",
      ),
      "OK",
    );
    assert.equal(
      await outcomeOf(
        byGrpc(() => open.url),
        "mallory",
      ),
      "PERMISSION_DENIED",
    );
  });

  it("serves no reflection unless configured to", async () => {
    for (const url of [system.edgeUrl, replicas.orders.url, replicas.payments.url]) {
      assert.equal(await reflectionStatusAt(url), Code.Unimplemented, url);
    }
    const open = await system.start("orders", { env: { ...production, REFLECTION: "true" } });
    assert.equal(await reflectionStatusAt(open.url), 0);
  });
});

function readTable(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const [head = [], ...rows] = text
    .trim()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return new Map(
    rows.map(([name = "", ...cells]) => [
      name,
      new Map(cells.map((cell, index) => [head[index + 1] ?? "", cell])),
    ]),
  );
}

function amountOf(minorUnits: bigint) {
  return { minorUnits, currency };
}

function urlIn(replicas: Readonly<Record<ServiceName, Replica>>, service: DescService): string {
  return replicas[service.typeName.startsWith("orders.") ? "orders" : "payments"].url;
}

function nowS(): number {
  return Math.floor(Date.now() / 1_000);
}

/** Returns a token that is valid except for these claims. */
async function signed(claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const scopes = ["admin", "deposit", "ops"];
  return (await openTestIssuer()).sign({ userId: "alice", scopes, claims });
}

async function claimsOf(token: string) {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

/** Returns a token with the issuer's key id, signed with another key. */
async function signedWith(alg: string, key: Parameters<SignJWT["sign"]>[0]): Promise<string> {
  const [{ kid = "" } = {}] = (await openTestIssuer()).jwks().keys;
  return new SignJWT(await claimsOf(await signed())).setProtectedHeader({ alg, kid }).sign(key);
}

/** Reads every row of both databases, with the transaction that wrote it. */
async function readEverything({ databases }: System): Promise<string> {
  const lines: string[] = [];
  for (const [service, pool] of Object.entries(databases)) {
    const tables = await pool.query<{ name: string }>(
      "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    );
    for (const { name } of tables.rows) {
      const { rows } = await pool.query<{ row: string }>(
        `SELECT concat(xmin, ' ', present::text) AS row FROM ${name} AS present ORDER BY 1`,
      );
      lines.push(...rows.map(({ row }) => `${service} ${name} ${row}`));
    }
  }
  return lines.join("\n");
}

/** Returns the status of a gRPC reflection call. */
async function reflectionStatusAt(url: string): Promise<number> {
  const client = new Client(new URL(url).host, credentials.createInsecure());
  const status = await new Promise<number>((resolve) => {
    const asIs = (bytes: Buffer) => bytes;
    const call = client.makeBidiStreamRequest(
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      asIs,
      asIs,
      new Metadata(),
      { deadline: Date.now() + callTimeoutMs },
    );
    call.on("data", () => {});
    call.on("error", ({ code }: ServiceError) => resolve(code));
    call.on("status", ({ code }) => resolve(code));
    // Field 7, `list_services`: "*".
    call.end(Buffer.from([0x3a, 1, 0x2a]));
  });
  client.close();
  return status;
}
