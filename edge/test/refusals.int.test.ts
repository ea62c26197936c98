import assert from "node:assert/strict";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { assertEdgeError, type Lab, startLab } from "./lab.ts";
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

    for (const path of ["/", "/nothing", "/gatewayx", "/orders/alice"]) {
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
        const message = `Could not resolve ${path} to a method.`;
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

    it("with an unknown query parameter, and names it", async () => {
      const answer = await lab.ask("GET", "/gateway/orders/alice?nothing=1");
      assertEdgeError(answer, { ...malformed, message: /Could not find field "nothing"/ });
    });

    const bodies: Record<string, [body: unknown, message: RegExp]> = {
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
      assert.equal(error.code, Code.ResourceExhausted);
      assert.equal(error.rawMessage, tooLarge);
      assert.match(error.metadata.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
    });
  }

  it("gRPC on a REST path", async () => {
    const headers = { "content-type": "application/grpc" };
    const answer = await lab.ask("POST", "/gateway/orders", { headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["grpc-status"], String(Code.Unimplemented));
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
      assert.equal(error.code, Code.Unimplemented);
      assert.equal(error.rawMessage, noSuchRoute);
    }
  });
});

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => assert.fail("the call succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}
