import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import { OrderSchema } from "@settle/gen/orders/v1/order_pb";
import { GetOrderRequestSchema, OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { type Lab, startLab } from "./lab.ts";
import { largeRevision, orderIds, timeText } from "./upstream.ts";

const buf = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
const times = { createTime: timeText, updateTime: timeText };

describe("the edge passes on", () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  describe("REST", () => {
    it("to orders and to payments", async () => {
      const amount = { minorUnits: "1250", currency: "EUR" };
      const order = await lab.ask("POST", "/gateway/orders", { body: { userId: "alice", amount } });
      assert.equal(order.status, 200, order.body);
      assert.equal(order.headers["content-type"], "application/json");
      assert.deepEqual((order.json() as { amount: unknown }).amount, amount);

      const account = await lab.ask("GET", "/gateway/payments/accounts/alice");
      const balance = { minorUnits: "0", currency: "EUR" };
      assert.deepEqual(account.json(), { userId: "alice", balance, ...times });
    });

    it("with int64 printed as strings, zeros and empty fields, and enums by name", async () => {
      const answer = await lab.ask("GET", `/gateway/orders/alice/${orderIds.known}`);
      assert.deepEqual(answer.json(), {
        id: orderIds.known,
        userId: "alice",
        description: "",
        status: "ORDER_STATUS_PENDING_PAYMENT",
        declineReason: "DECLINE_REASON_UNSPECIFIED",
        revision: String(largeRevision),
        amount: { minorUnits: "0", currency: "EUR" },
        refundedAmount: { minorUnits: "0", currency: "EUR" },
        ...times,
      });
    });

    it("with int64 as a string and as a number", async () => {
      for (const minorUnits of ["1250", 1250]) {
        const amount = { minorUnits, currency: "EUR" };
        const answer = await lab.ask("POST", "/gateway/payments/accounts/alice:deposit", {
          body: { amount },
        });
        assert.equal(answer.status, 200, answer.body);
        const { balance } = answer.json() as { balance: { minorUnits: string } };
        assert.equal(balance.minorUnits, String(minorUnits));
      }
    });

    it("with every way to write the same body, unchanged", async () => {
      const plain = { userId: "alice", amount: { minorUnits: "7", currency: "EUR" } };
      const description = 'é😀\u2028"\\/\n\u0001\u007f';
      const expected = JSON.stringify({ ...plain, description, expireAfter: "1.500s" });
      for (const body of [
        expected,
        ` \t\r\n${JSON.stringify(JSON.parse(expected), null, "\t")}\n `,
        expected.replace("userId", "user_id").replace("minorUnits", "minor_units"),
        expected.replace('"7"', "7").replace("userId", "\\u0075ser\\u0049d"),
        expected.replace("é😀", "\\u00e9\\uD83D\\uDE00").replace("/", "\\/"),
      ]) {
        const answer = await lab.ask("POST", "/gateway/orders", { body });
        assert.equal(answer.status, 200, answer.body);
        const order = answer.json() as typeof plain & { readonly description: string };
        assert.deepEqual({ userId: order.userId, amount: order.amount }, plain);
        assert.equal(order.description, description);
      }
    });

    it("with null for an absent field, and a body up to the limit", async () => {
      const amount = { minorUnits: "7", currency: "EUR" };
      const body = { userId: "alice", amount, description: null, expireAfter: null };
      assert.equal((await lab.ask("POST", "/gateway/orders", { body })).status, 200);
      const large = JSON.stringify(body).padEnd(65_536, " ");
      assert.equal((await lab.ask("POST", "/gateway/orders", { body: large })).status, 200);
    });

    it("with an empty query, and a slash at the end of a path", async () => {
      const amount = { minorUnits: "7", currency: "EUR" };
      const deposit = "/gateway/payments/accounts/alice:deposit";
      assert.equal((await lab.ask("POST", `${deposit}?`, { body: { amount } })).status, 200);
      for (const path of ["/gateway/orders/alice/", "/gateway/orders/alice?&&"]) {
        assert.equal((await lab.ask("GET", path)).status, 200);
      }
    });

    it("with user ids that have | and @, escaped or not", async () => {
      for (const name of ["auth0%7Cabc", "auth0|abc"]) {
        const path = `/gateway/orders/${name}/${orderIds.known}`;
        const answer = await lab.ask("GET", path, { as: "auth0|abc" });
        assert.equal((answer.json() as { userId: string }).userId, "auth0|abc", answer.body);
      }
      for (const name of ["a%40b.example", "a@b.example"]) {
        const path = `/gateway/payments/accounts/${name}:deposit`;
        const amount = { minorUnits: "1", currency: "EUR" };
        const answer = await lab.ask("POST", path, { as: "a@b.example", body: { amount } });
        assert.equal((answer.json() as { userId: string }).userId, "a@b.example", answer.body);
      }
    });

    it("an action with an empty object, an empty body, or none", async () => {
      const cancel = `/gateway/orders/alice/${orderIds.known}:cancel`;
      const refund = `/gateway/payments/accounts/alice/payments/${orderIds.known}:refund`;
      const admin = `Bearer ${await lab.issuer.key.sign({ scope: "read admin" })}`;
      for (const body of [{}, "", undefined]) {
        const cancelled = await lab.ask("POST", cancel, { body });
        assert.equal(cancelled.status, 200, cancelled.body);
        const order = cancelled.json() as { id: string; userId: string };
        assert.deepEqual([order.id, order.userId], [orderIds.known, "alice"]);
        assert.equal((await lab.ask("POST", refund, { body })).status, 403);
        const headers = { authorization: admin };
        const refunded = await lab.ask("POST", refund, { body, headers });
        assert.equal(refunded.status, 200, refunded.body);
        assert.equal((refunded.json() as { orderId: string }).orderId, orderIds.known);
      }
      // As curl -X POST sends it, without a length.
      const lines = [`POST ${cancel} HTTP/1.1`, "Host: a", `Authorization: ${lab.authorization}`];
      const bare = await lab.sendRaw([...lines, "Connection: close", "", ""].join("\r\n"));
      assert.equal(bare.status, 200, bare.body);
      const amount = { minorUnits: "5", currency: "EUR" };
      const headers = { authorization: admin };
      const partly = await lab.ask("POST", refund, { body: { amount }, headers });
      assert.deepEqual((partly.json() as { refundedAmount: unknown }).refundedAmount, amount);
    });

    it("with a + in a query as a space", async () => {
      const answer = await lab.ask("GET", "/gateway/orders/alice?pageToken=a+b%2Bc");
      assert.equal((answer.json() as { nextPageToken: string }).nextPageToken, "a b+c");
    });

    it("with a page of several megabytes", async () => {
      const answer = await lab.ask("GET", "/gateway/orders/alice?pageSize=1000");
      assert.equal(answer.status, 200);
      assert.ok(answer.body.length > 6_000_000, `${answer.body.length} bytes`);
    });

    it("with a service's refusal and its details", async () => {
      const answer = await lab.ask("GET", `/gateway/orders/alice/${orderIds.missing}`);
      assert.equal(answer.status, 404);
      assert.equal(answer.headers["content-type"], "application/json");
      const detail = "type.googleapis.com/google.rpc.ErrorInfo";
      assert.deepEqual(answer.json(), {
        code: 5,
        message: "no such order",
        details: [
          { "@type": detail, reason: "ORDER_NOT_FOUND", domain: "test.settle", metadata: {} },
        ],
      });
    });

    it("with the fields that violate a rule", async () => {
      const body = { userId: "alice", amount: { minorUnits: "-1", currency: "EUR" } };
      const answer = await lab.ask("POST", "/gateway/orders", { body });
      assert.equal(answer.status, 400);
      const { details } = answer.json() as { details: { fieldViolations?: object[] }[] };
      const fieldViolations = details.flatMap((detail) => detail.fieldViolations ?? []);
      const description = "minorUnits must be from 1 to 1000000000000";
      assert.deepEqual(fieldViolations, [{ field: "amount", description, reason: "" }]);
    });

    it("over HTTP/2 without TLS", async () => {
      const session = connect(lab.url);
      const { authorization } = lab;
      const path = "/gateway/payments/accounts/alice";
      const stream = session.request({ ":path": path, authorization });
      assert.match(await text(stream), /"userId":"alice"/);
      session.close();
    });
  });

  const transports: Record<string, () => Transport> = {
    gRPC: () => createGrpcTransport(lab.target),
    "gRPC-Web over HTTP/1.1": () => createGrpcWebTransport({ ...lab.target, httpVersion: "1.1" }),
    "gRPC-Web over HTTP/2": () => createGrpcWebTransport({ ...lab.target, httpVersion: "2" }),
    "Connect with JSON over HTTP/1.1": () =>
      createConnectTransport({ ...lab.target, httpVersion: "1.1", useBinaryFormat: false }),
    "Connect with JSON over HTTP/2": () =>
      createConnectTransport({ ...lab.target, httpVersion: "2", useBinaryFormat: false }),
    "Connect in binary over HTTP/1.1": () =>
      createConnectTransport({ ...lab.target, httpVersion: "1.1", useBinaryFormat: true }),
    "Connect in binary over HTTP/2": () =>
      createConnectTransport({ ...lab.target, httpVersion: "2", useBinaryFormat: true }),
  };
  for (const [name, createTransport] of Object.entries(transports)) {
    it(name, async () => {
      const transport = createTransport();
      const orders = createClient(OrdersService, transport);
      const payments = createClient(PaymentsService, transport);

      const order = await orders.getOrder({ userId: "alice", orderId: orderIds.known });
      assert.equal(order.revision, largeRevision);
      assert.equal((await payments.getAccount({ userId: "alice" })).userId, "alice");

      const refusal = await orders.getOrder({ userId: "alice", orderId: orderIds.missing }).then(
        () => assert.fail("an order that does not exist"),
        (error: unknown) => ConnectError.from(error),
      );
      assert.equal(refusal.code, Code.NotFound);
      assert.equal(refusal.findDetails(ErrorInfoSchema)[0]?.reason, "ORDER_NOT_FOUND");
    });
  }

  it("gRPC from grpc-js", async () => {
    const client = new Client(`127.0.0.1:${lab.port}`, credentials.createInsecure());
    try {
      const metadata = new Metadata();
      metadata.set("authorization", lab.authorization);
      const order = await new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          "/orders.v1.OrdersService/GetOrder",
          (request) => Buffer.from(toBinary(GetOrderRequestSchema, request)),
          (bytes) => fromBinary(OrderSchema, bytes),
          create(GetOrderRequestSchema, { userId: "alice", orderId: orderIds.known }),
          metadata,
          (error, answer) => (error ? reject(error) : resolve(answer)),
        );
      });
      assert.equal((order as { revision: bigint }).revision, largeRevision);
    } finally {
      client.close();
    }
  });

  it("reflection, for both services", async () => {
    const call = async (method: string, request: object) => {
      const args = ["curl", "--http2-prior-knowledge", "--protocol", "grpc"];
      args.push("-H", `authorization: ${lab.authorization}`);
      args.push("-d", JSON.stringify(request), `${lab.url}/${method}`);
      return JSON.parse((await promisify(execFile)(buf, args)).stdout);
    };
    const account = await call("payments.v1.PaymentsService/GetAccount", { userId: "alice" });
    assert.deepEqual(account, { userId: "alice", balance: { currency: "EUR" }, ...times });
    const asked = { userId: "alice", orderId: orderIds.known };
    const order = await call("orders.v1.OrdersService/GetOrder", asked);
    assert.equal(order.id, orderIds.known);
  });
});
