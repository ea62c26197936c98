import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { findGoProgram } from "../../tools/local/fetch/go-program.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { authorizationOf } from "../harness/system/tokens.ts";

const buildTimeoutMs = 600_000;
const callTimeoutMs = 30_000;
const missing = "01890a5d-ac96-774b-bcce-b302099a8057";

/** The output and the exit code of grpcurl. */
type Run = { readonly code: number; readonly out: string; readonly err: string };

describe("grpcurl, with nothing but the edge's reflection,", function () {
  this.timeout(buildTimeoutMs);
  let system: System;
  let program: string;

  before(async () => {
    program = await findGoProgram({
      package: "github.com/fullstorydev/grpcurl/cmd/grpcurl",
      version: "v1.9.3",
    });
    system = await startSystem();
    await system.startBoth();
  });
  after(() => system?.[Symbol.asyncDispose]());

  const grpcurl = async (args: readonly string[]): Promise<Run> => {
    const target = new URL(system.edgeUrl).host;
    const authorization = await authorizationOf("alice");
    const [last = "", ...options] = args.toReversed();
    const all = ["-plaintext", "-H", `authorization: ${authorization}`, ...options.toReversed()];
    // `list` and `describe` come after the address, like methods.
    const behind = last.split(" ");
    try {
      const run = promisify(execFile);
      const { stdout, stderr } = await run(program, [...all, target, ...behind], {
        timeout: callTimeoutMs,
      });
      return { code: 0, out: stdout, err: stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout, err: stderr };
    }
  };
  const call = (method: string, request: object, ...options: readonly string[]) =>
    grpcurl([...options, "-d", JSON.stringify(request), method]);

  it("lists the services", async () => {
    const { out, err } = await grpcurl(["list"]);
    const services = out.trim().split("\n");
    assert.ok(services.includes("orders.v1.OrdersService"), out + err);
    assert.ok(services.includes("payments.v1.PaymentsService"));
  });

  it("describes a method and a message", async () => {
    const method = await grpcurl(["describe orders.v1.OrdersService.CreateOrder"]);
    assert.match(method.out, /rpc CreateOrder \( \.orders\.v1\.CreateOrderRequest \)/, method.err);
    const message = await grpcurl(["describe payments.v1.Account"]);
    assert.match(message.out, /\.money\.v1\.Money balance = 2;/, message.err);
  });

  it("calls, with a token", async () => {
    const account = { userId: "alice", currency: "EUR" };
    const created = await call("payments.v1.PaymentsService/CreateAccount", account);
    assert.equal(JSON.parse(created.out || created.err).userId, "alice");
    const amount = { minorUnits: "250", currency: "EUR" };
    const order = await call("orders.v1.OrdersService/CreateOrder", { userId: "alice", amount });
    assert.equal(JSON.parse(order.out || order.err).status, "ORDER_STATUS_PENDING_PAYMENT");
  });

  it("watches until its deadline", async () => {
    const method = "orders.v1.OrdersService/WatchOrders";
    const { code, out, err } = await call(method, { userId: "alice" }, "-max-time", "2");
    assert.match(out, /"heartbeat": \{\}/, err);
    assert.match(out, /"userId": "alice"/);
    assert.match(err, /DeadlineExceeded/);
    assert.equal(code, 64 + 4);
  });

  it("shows an error with its details", async () => {
    const request = { userId: "alice", orderId: missing };
    const { code, err } = await call("orders.v1.OrdersService/GetOrder", request);
    assert.equal(code, 64 + 5);
    assert.match(err, /Code: NotFound/);
    assert.match(err, /"@type": "type\.googleapis\.com\/google\.rpc\.ErrorInfo"/);
    assert.match(err, /"reason": "ORDER_NOT_FOUND"/);
  });

  it("is denied another user's data", async () => {
    const request = { userId: "bob", orderId: missing };
    const { code, err } = await call("orders.v1.OrdersService/GetOrder", request);
    assert.equal(code, 64 + 7, err);
    assert.match(err, /"reason": "PERMISSION_DENIED"/);
  });
});
