import assert from "node:assert/strict";
import { eventually } from "@settle/chassis/testing";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { runTool } from "../../tools/local/process/run-tool.ts";
import { successOf } from "../harness/calls/call.ts";
import {
  type Fuzzing,
  installSchemathesis,
  runSchemathesis,
} from "../harness/fuzz/schemathesis.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const { createOrder, cancelOrder, getOrder, listOrders } = OrdersService.method;
const { createAccount, deposit } = PaymentsService.method;

/** `npm run openapi:fuzz` runs more: all phases as both users. */
const isShort = process.env.FUZZ_EXAMPLES === undefined;
const examples = Number(process.env.FUZZ_EXAMPLES ?? 5);
const seed = Number(process.env.FUZZ_SEED ?? 20261122);
const installTimeoutMs = 300_000;
const timeoutMs = 180_000 + examples * 3_000;
const fixed = ["examples", "coverage"] as const;
const madeUp = ["fuzzing", "stateful"] as const;
/** The minimum number of requests of a run; there are about 500 fixed ones. */
const fewestCases = 50;

describe("a fuzzer driven by the OpenAPI document", function () {
  this.timeout(installTimeoutMs + timeoutMs);
  let system: System;
  let orders: Readonly<Record<"alice" | "bob", readonly string[]>>;
  let libraries: string;

  before(async function () {
    // Required by schemathesis; everything else here works with older versions.
    const version = await runTool("python3", ["-V"], { env: process.env, timeoutMs });
    if (Number(/ 3\.(\d+)/.exec(version)?.[1]) < 11) this.skip();
    const installing = installSchemathesis();
    // Awaited below, in parallel with other slow work.
    installing.catch(() => {});
    system = await startSystem();
    [libraries, orders] = await Promise.all([installing, prepare()]);
  });
  after(() => system?.[Symbol.asyncDispose]());

  /** Creates cancelled orders, before payments could pay them, and one paid order of bob. */
  const prepare = async () => {
    const { call } = system;
    const request = (userId: string) => {
      const amount = { minorUnits: 1_000_000_000_000n, currency: "EUR" };
      return { userId, amount };
    };
    const cancelled = async (userId: string) => {
      const { id } = await successOf(call(createOrder, request(userId)));
      await successOf(call(cancelOrder, { userId, orderId: id }));
      return id;
    };
    await system.start("orders", { port: system.ports.orders });
    await eventually("orders is there", async () => {
      const { ok } = await call(listOrders, { userId: "alice" });
      return ok || undefined;
    });
    const [ofAlice, ofBob] = await Promise.all([cancelled("alice"), cancelled("bob")]);
    await system.start("payments", { port: system.ports.payments });
    await system.healthy();
    await successOf(call(createAccount, { userId: "bob", currency: "EUR" }));
    await successOf(call(deposit, request("bob")));
    const paid = await successOf(call(createOrder, request("bob")));
    await eventually("bob has paid", async () => {
      const { status } = await successOf(call(getOrder, { userId: "bob", orderId: paid.id }));
      return status === OrderStatus.PAID || undefined;
    });
    return { alice: [ofAlice], bob: [ofBob, paid.id] };
  };

  const fuzz = async (caller: string, scopes: readonly string[], phases: Fuzzing["phases"]) => {
    const token = await tokenOf(caller, scopes);
    const { edgeUrl } = system;
    const what = { phases, examples, seed, timeoutMs };
    const who = { edgeUrl, caller, scopes, token, orders };
    const report = await runSchemathesis(libraries, { ...who, ...what });
    if (!isShort) console.log(`as ${caller}: ${report}`);
    const [, cases] = /(\d+) generated, \1 passed/.exec(report) ?? [];
    assert.ok(Number(cases) > fewestCases, report);
  };

  it("finds no difference between the document and the edge, for two users", async () => {
    const all = [...fixed, ...madeUp];
    const runs = [
      fuzz("alice", [], isShort ? fixed : all),
      fuzz("bob", ["admin"], isShort ? madeUp : all),
    ];
    // Waits for both, even if one of them fails.
    await Promise.allSettled(runs);
    await Promise.all(runs);
    assert.deepEqual(system.unexplainedExits, []);
  });
});
