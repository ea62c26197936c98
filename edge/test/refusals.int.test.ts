import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { assertEdgeError, assertEdgeFailure } from "./edge-errors.ts";
import { type Answer, type Lab, startLab } from "./lab.ts";
import { orderIds } from "./upstream.ts";

const unroutable = { status: 404, code: 5, reason: "ROUTE_NOT_FOUND" };
const malformed = { status: 400, code: 3, reason: "MALFORMED_REQUEST" };
const notWellFormed = "The request is malformed.";
const noSuchRoute = "The route or method does not exist.";
const tooLarge = "The request body or headers are too large.";

describe("the edge itself rejects", () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  describe("a REST request", () => {
    const amount = { minorUnits: "1", currency: "EUR" };

    for (const path of ["/docs", "/nothing", "/gatewayx", "/orders/alice"]) {
      it(`to the unknown path ${path}`, async () => {
        const answer = await lab.ask("GET", path);
        assertEdgeError(answer, { ...unroutable, message: noSuchRoute });
      });
    }

    it("to an unknown path of the API, and names it", async () => {
      for (const path of [
        "/gateway",
        "/gateway/nothing",
        "/gateway/ordersx",
        "/gateway/orders/a/b/c",
      ]) {
        const message = `No method accepts GET ${path}.`;
        assertEdgeError(await lab.ask("GET", path), { ...unroutable, message });
      }
    });

    for (const method of ["PUT", "DELETE", "HEAD", "OPTIONS", "TRACE"]) {
      it(`by the method ${method}`, async () => {
        const answer = await lab.ask(method, "/gateway/orders/alice");
        if (method === "HEAD") return assert.equal(answer.status, 404);
        assertEdgeError(answer, { ...unroutable, message: /./ });
      });
    }

    const violated: Record<string, [path: string, body: unknown, field: string]> = {
      "an unknown field": [
        "/gateway/orders",
        { userId: "alice", amount, expireAfer: "1s" },
        "expireAfer",
      ],
      "an unknown field inside": [
        "/gateway/orders",
        { amount: { minorUnit: 1 } },
        "amount.minorUnit",
      ],
      "an unknown field that needs escapes": [
        "/gateway/orders",
        { 'a"\\\n<\u2028é': 1 },
        'a"\\\n<\u2028é',
      ],
      "a field twice": ["/gateway/orders", '{"userId":"alice","userId":"alice"}', "userId"],
      "a field in both spellings": [
        "/gateway/orders",
        '{"amount":{"minorUnits":1,"minor_units":1}}',
        "amount.minorUnits",
      ],
      "a field twice, once with escapes": [
        "/gateway/orders",
        '{"userId":"alice","\\u0075serId":"bob"}',
        "userId",
      ],
      "a field twice, once null": ["/gateway/orders", '{"amount":null,"amount":{}}', "amount"],
      "an unknown field of an account": [
        "/gateway/payments/accounts",
        { curency: "EUR" },
        "curency",
      ],
      "another user than the path": [
        "/gateway/payments/accounts/alice:deposit",
        { userId: "bob", amount },
        "userId",
      ],
      "the user of the path": [
        "/gateway/payments/accounts/alice:deposit",
        { user_id: "alice", amount },
        "userId",
      ],
      "the order of the path": [
        `/gateway/orders/alice/${orderIds.known}:cancel`,
        { orderId: orderIds.known },
        "orderId",
      ],
      "an unknown field of a refund": [
        `/gateway/payments/accounts/alice/payments/${orderIds.known}:refund`,
        { amout: amount },
        "amout",
      ],
    };
    for (const [name, [path, body, field]] of Object.entries(violated)) {
      it(`with ${name} in its body, and names it`, async () => {
        assertViolation(await lab.ask("POST", path, { body }), field);
      });
    }

    it("with a compressed body", async () => {
      for (const encoding of ["gzip", "br"]) {
        const headers = { "content-encoding": encoding };
        const answer = await lab.ask("POST", "/gateway/orders", { headers, body: { amount } });
        assertEdgeError(answer, { ...malformed, message: "The body must not be compressed." });
      }
    });

    it("with a query parameter twice, in any spelling, and names it", async () => {
      for (const [path, field] of [
        ["/gateway/orders/alice?status=ORDER_STATUS_PAID&status=ORDER_STATUS_PAID", "status"],
        ["/gateway/orders/alice?pageSize=1&pageToken=a&page_size=1", "pageSize"],
        ["/gateway/orders/alice?pageSize=1&page%53ize=1", "pageSize"],
        ["/gateway/orders/alice:watch?afterRevision=1&afterRevision=1", "afterRevision"],
        ["/gateway/payments/accounts/alice/entries?pageToken=a&page_token=a", "pageToken"],
      ] as const) {
        assertViolation(await lab.ask("GET", path), field);
      }
    });

    it("with a parameter of the path, of the body or without a value in its query", async () => {
      const deposit = "/gateway/payments/accounts/alice:deposit";
      for (const [method, path] of [
        ["GET", "/gateway/orders/alice?userId=bob"],
        ["GET", "/gateway/orders/alice?user%5Fid=bob"],
        ["GET", "/gateway/orders/alice:watch?user_id=bob"],
        ["GET", "/gateway/orders/alice?pageSize"],
        ["GET", "/gateway/orders/alice?=1"],
        ["GET", "/gateway/orders/alice?createdAfter.seconds=1"],
        ["POST", `${deposit}?userId=bob`],
        ["POST", `${deposit}?amount.minorUnits=1`],
        ["POST", "/gateway/orders?description=a"],
      ] as const) {
        const body = method === "POST" ? { body: { amount } } : {};
        assertEdgeError(await lab.ask(method, path, body), { ...malformed, message: /"|quer/ });
      }
    });

    it("with a body where the method has none, with a length or not", async () => {
      const expected = { ...malformed, message: "This method takes no body." };
      for (const path of ["/gateway/orders/alice", "/gateway/orders/alice:watch"]) {
        for (const headers of [{ "transfer-encoding": "chunked" }, { "content-length": "2" }]) {
          assertEdgeError(await lab.ask("GET", path, { body: "{}", headers }), expected);
        }
        const session = connect(lab.url);
        const { authorization } = lab;
        const call = session.request({ ":path": path, authorization }, { endStream: false });
        const [answer, headers] = [text(call), once(call, "response")];
        call.end("{}");
        assert.match(await answer, /"This method takes no body\."/);
        assert.equal((await headers)[0][":status"], 400);
        session.close();
      }
    });

    it("with a body that is not UTF-8", async () => {
      const head = `POST /gateway/orders HTTP/1.1\r\nHost: a\r\nAuthorization: ${lab.authorization}\r\n`;
      const body = '{"userId":"alice","description":"caf\xe9"}';
      const answer = await lab.sendRaw(
        Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, "latin1"),
      );
      assertEdgeError(answer, { ...malformed, message: "The body is not valid UTF-8 (byte 37)." });
    });

    it("with an unknown query parameter, and names it", async () => {
      const answer = await lab.ask("GET", "/gateway/orders/alice?nothing=1");
      assertEdgeError(answer, { ...malformed, message: /Could not find field "nothing"/ });
    });

    const bodies: Record<string, [body: unknown, message: RegExp]> = {
      "in single quotes": ["{'userId': 'alice'}", /not valid JSON \(byte 2\)/],
      "with a name without quotes": ['{userId: "alice"}', /not valid JSON \(byte 2\)/],
      "with a trailing comma": ['{"userId": "alice",}', /not valid JSON \(byte 20\)/],
      "with two values": ["{} {}", /not valid JSON \(byte 4\)/],
      "with a byte order mark": ["\ufeff{}", /must be an object/],
      "with half of a surrogate pair": ['{"userId": "\\ud800"}', /half of a surrogate pair/],
      "with a duration as an object": [
        { expireAfter: { seconds: 5 } },
        /expireAfter must be a single/,
      ],
      "nested too deeply": [`{"userId":${"[".repeat(5_000)}${"]".repeat(5_000)}}`, /userId/],
      "that is not JSON": ["{", /./],
      "that is not an object": ["[1]", /./],
      "that is incomplete": ['{"userId": "a"', /./],
      "with an invalid number": [{ amount: { minorUnits: "x" } }, /amount.minor_units.*"x"/],
      "with a fraction": [{ amount: { minorUnits: 1.5 } }, /amount.minor_units.*1\.5/],
      "with more than an int64": [{ amount: { minorUnits: "9223372036854775808" } }, /minor_units/],
      "with a string instead of an object": [{ amount: "1 EUR" }, /amount/],
    };
    for (const [name, [body, message]] of Object.entries(bodies)) {
      it(`with a body ${name}`, async () => {
        const answer = await lab.ask("POST", "/gateway/orders", { body });
        assertEdgeError(answer, { ...malformed, message });
      });
    }

    it("with an unknown enum value or a bad number in the query", async () => {
      const answer = await lab.ask("GET", "/gateway/orders/alice?pageSize=ten");
      assertEdgeError(answer, { ...malformed, message: /page_size/ });
    });

    it("with a body above 64 KiB", async () => {
      const expected = { status: 413, code: 8, reason: "REQUEST_TOO_LARGE", message: tooLarge };
      const body = { userId: "alice", amount, description: "x".repeat(65_536) };
      assertEdgeError(await lab.ask("POST", "/gateway/orders", { body }), expected);
      const headers = { "transfer-encoding": "chunked" };
      assertEdgeError(await lab.ask("POST", "/gateway/orders", { body, headers }), expected);
    });

    it("with headers that are too large or too many", async () => {
      const expected = { status: 431, code: 8, reason: "REQUEST_TOO_LARGE", message: tooLarge };
      const large = { "x-large": "x".repeat(16_384) };
      assertEdgeError(await lab.ask("GET", "/gateway/orders/a", { headers: large }), expected);
      const many = Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`x-${n}`, "x"]));
      assertEdgeError(await lab.ask("GET", "/gateway/orders/a", { headers: many }), expected);
    });

    it("with a header whose name has an underscore", async () => {
      const answer = await lab.ask("GET", "/gateway/orders/a", { headers: { user_id: "bob" } });
      assertEdgeError(answer, { ...malformed, message: notWellFormed });
    });

    it("with an escaped slash in its path", async () => {
      for (const path of ["/gateway/orders/a%2Fb", "/gateway/orders/a%5cb"]) {
        assertEdgeError(await lab.ask("GET", path), { ...malformed, message: notWellFormed });
      }
    });

    it("that asks for an upgrade", async () => {
      const headers = { connection: "upgrade", upgrade: "websocket" };
      const answer = await lab.ask("GET", "/gateway/orders/a", { headers });
      assertEdgeError(answer, { ...malformed, status: 403, message: notWellFormed });
    });

    const raw: Record<string, [status: number, bytes: string]> = {
      "that is not HTTP": [400, "nonsense\r\n\r\n"],
      "with a space in its path": [400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"],
      "without a host": [400, "GET / HTTP/1.1\r\n\r\n"],
      "with two lengths": [
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
      ],
      "with a length and in chunks": [
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ],
      "with an unknown transfer encoding": [
        501,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
      ],
    };
    for (const [name, [status, bytes]] of Object.entries(raw)) {
      it(name, async () => {
        const answer = await lab.sendRaw(bytes);
        assertEdgeError(answer, { ...malformed, status, message: notWellFormed });
      });
    }
  });

  const transports: Record<string, () => Transport> = {
    gRPC: () => createGrpcTransport(lab.target),
    "gRPC-Web": () => createGrpcWebTransport({ ...lab.target, httpVersion: "1.1" }),
    Connect: () => createConnectTransport({ ...lab.target, httpVersion: "1.1" }),
  };
  for (const [name, createTransport] of Object.entries(transports)) {
    it(`a ${name} call with a body above 64 KiB`, async () => {
      const orders = createClient(OrdersService, createTransport());
      const error = await failureOf(
        orders.createOrder({ userId: "alice", description: "x".repeat(65_536) }),
      );
      const code = Code.ResourceExhausted;
      assertEdgeFailure(error, { code, reason: "REQUEST_TOO_LARGE", message: tooLarge });
    });
  }

  it("gRPC on the path of REST or of a page", async () => {
    const headers = { "content-type": "application/grpc" };
    for (const path of ["/gateway/orders", "/gateway", "/swagger", "/swagger/docs"]) {
      const answer = await lab.ask("POST", path, { headers });
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers["grpc-status"], String(Code.Unimplemented), path);
    }
  });

  it("HTTP/1.0, and says which versions it accepts", async () => {
    const chunked = "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n";
    for (const headers of ["", "Host: a\r\n", "Connection: keep-alive\r\n", chunked]) {
      const answer = await lab.sendRaw(`POST /gateway/orders HTTP/1.0\r\n${headers}\r\n`);
      const message = "Use HTTP/1.1 or HTTP/2. Older versions are not supported.";
      assertEdgeError(answer, { ...malformed, status: 426, message });
      assert.equal(answer.headers.connection, "close");
    }
  });

  it("nothing with a redirect, which has no body", async () => {
    for (const method of ["GET", "HEAD"]) {
      const { status, headers, body } = await lab.ask(method, "/swagger", { as: null });
      assert.equal(status, 301);
      assert.equal(headers.location, `${lab.url}/swagger/docs`);
      assert.equal(headers["content-type"], undefined);
      assert.equal(body, "");
    }
  });

  it("a gRPC call of an unknown service, including grpc.health.v1", async () => {
    for (const service of ["unknown.v1.UnknownService", "grpc.health.v1.Health"]) {
      const typeName = service as typeof OrdersService.typeName;
      const unknown = { ...OrdersService, typeName };
      const method = { ...OrdersService.method.getOrder, parent: unknown };
      const transport = createGrpcTransport(lab.target);
      const error = await failureOf(
        transport.unary(
          method as typeof OrdersService.method.getOrder,
          undefined,
          undefined,
          undefined,
          {
            userId: "alice",
            orderId: orderIds.known,
          },
        ),
      );
      const code = Code.Unimplemented;
      assertEdgeFailure(error, { code, reason: "ROUTE_NOT_FOUND", message: noSuchRoute });
    }
  });
});

/** Fails unless the edge itself names this field as the only one that violates a rule. */
function assertViolation({ status, json, body }: Answer, field: string): void {
  assert.equal(status, 400, body);
  const { code, message, details } = json() as { code: number; message: string; details: unknown };
  assert.equal(code, 3);
  const [description = ""] = message.startsWith(`${field}: `)
    ? [message.slice(field.length + 2)]
    : [];
  assert.ok(description, body);
  assert.deepEqual(details, [
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "VALIDATION_FAILED",
      domain: "edge.settle",
      metadata: {},
    },
    {
      "@type": "type.googleapis.com/google.rpc.BadRequest",
      fieldViolations: [{ field, description, reason: "" }],
    },
  ]);
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => assert.fail("the call succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}
