import assert from "node:assert/strict";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  fromJson,
  type JsonObject,
  type MessageInitShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { eventually } from "@settle/chassis/testing";
import { OrderSchema } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { pathOf, routeOf } from "../harness/calls/protocols.ts";
import { grpcRefusal, restRefusal } from "../harness/calls/refusals.ts";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, defaultCurrency as currency } from "../harness/checker/history.ts";
import {
  type Replica,
  type ServiceName,
  type System,
  startSystem,
} from "../harness/system/system.ts";
import { authorizationOf } from "../harness/system/tokens.ts";

const { createOrder, cancelOrder, getOrder } = OrdersService.method;
const { createAccount, deposit, refundPayment } = PaymentsService.method;
const replayedHeader = "idempotency-replayed";

/** The parts of a response that depend on its key. */
type Answer = {
  readonly code: number;
  readonly reason: string;
  readonly fields: readonly string[];
  readonly replayed: boolean;
  readonly body: JsonObject | undefined;
};
type Send = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  key: string,
) => Promise<Answer>;

/** Returns the headers for the user in the request, who is an admin as well. */
async function tokenFor(request: object) {
  const { userId = "" } = request as { readonly userId?: string };
  return { authorization: await authorizationOf(userId, ["admin"]) };
}

/** A call of CreateOrder in a burst. */
type BurstCall = {
  readonly key: string;
  readonly minorUnits: bigint;
  readonly description: string;
};

const reused = { code: Code.AlreadyExists, reason: "IDEMPOTENCY_KEY_REUSED", replayed: false };
const badKey = {
  code: Code.InvalidArgument,
  reason: "VALIDATION_FAILED",
  fields: ["idempotency-key"],
  replayed: false,
};

describe("an idempotency key", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let replicas: Readonly<Record<ServiceName, Replica>>;
  let second: Replica;
  let client: Client;

  before(async () => {
    system = await startSystem();
    replicas = await system.startBoth();
    second = await system.start("orders");
    client = new Client(new URL(system.edgeUrl).host, credentials.createInsecure());
  });
  after(async () => {
    client?.close();
    await system?.[Symbol.asyncDispose]();
  });

  const byRest: Send = async (method, request, key) => {
    const json = toJson(method.input, create(method.input, request));
    const { verb, path, rest } = routeOf(method, json);
    const response = await fetch(system.edgeUrl + path, {
      method: verb,
      headers: {
        "content-type": "application/json",
        "idempotency-key": key,
        ...(await tokenFor(request)),
      },
      ...(verb === "POST" && { body: JSON.stringify(rest) }),
    });
    const replayed = response.headers.get(replayedHeader) === "true";
    const body = (await response.json()) as never;
    if (response.ok) return { code: 0, reason: "", fields: [], replayed, body };
    const { code, reason, fields } = restRefusal(body);
    const status: Record<number, number> = {
      [Code.AlreadyExists]: 409,
      [Code.InvalidArgument]: 400,
      [Code.NotFound]: 404,
      [Code.FailedPrecondition]: 400,
    };
    assert.equal(response.status, status[code]);
    return { code, reason, fields, replayed, body: undefined };
  };

  const byGrpc: Send = async (method, request, key) => {
    const metadata = new Metadata();
    metadata.set("idempotency-key", key);
    metadata.set("authorization", (await tokenFor(request)).authorization);
    return new Promise((resolve) => {
      let replayed = false;
      const call = client.makeUnaryRequest(
        pathOf(method),
        (message) => Buffer.from(toBinary(method.input, message)),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        create(method.input, request),
        metadata,
        (error, message) => {
          const { code, reason, fields } = message
            ? { code: 0, reason: "", fields: [] }
            : grpcRefusal(error as ServiceError);
          const body = message && (toJson(method.output, message) as JsonObject);
          resolve({ code, reason, fields, replayed, body });
        },
      );
      call.on("metadata", (headers) => {
        replayed = headers.get(replayedHeader)[0] === "true";
      });
    });
  };

  const noteOrder = (description: string, { body }: Pick<Answer, "body">) => {
    const order = fromJson(OrderSchema, body ?? assert.fail("no order"));
    const { userId, amount } = order;
    const amountMinor = amount?.minorUnits ?? 0n;
    history.orders.push({ userId, amountMinor, currency, description, outcome: "ok", order });
    return order;
  };
  const assertHas = (answer: Answer, expected: Partial<Answer>) =>
    assert.deepEqual({ ...answer, ...expected }, answer);
  const amount = { minorUnits: 5n, currency };
  const place = async (userId: string, description: string) => {
    const request = { userId, amount, description };
    return noteOrder(description, await byRest(createOrder, request, crypto.randomUUID()));
  };
  const assertOnce = async (send: Send, ...[method, request, key]: Parameters<Send>) => {
    const first = await send(method, request, key);
    assert.equal(first.code, 0, first.reason);
    assert.equal(first.replayed, false);
    assert.deepEqual(await send(method, request, key), { ...first, replayed: true });
    return first;
  };

  for (const [protocol, send] of [
    ["REST", byRest],
    ["gRPC", byGrpc],
  ] as const) {
    const other = { minorUnits: 6n, currency };

    it(`makes a call take effect once and returns the same response again, over ${protocol}`, async () => {
      const userId = `user-of-${protocol}`;
      const once: Send = (method, request, key) => assertOnce(send, method, request, key);
      // The same key for all: keys of different methods are independent.
      const key = `~!{"${"k".repeat(240)}"}\\`;

      await once(createAccount, { userId, currency }, key);
      history.accounts.push({ userId, amountMinor: 0n, currency, outcome: "ok" });
      assertHas(await send(createAccount, { userId, currency: "JPY" }, key), reused);
      await once(deposit, { userId, amount }, key);
      history.deposits.push({ userId, amountMinor: 5n, currency, outcome: "ok" });
      assertHas(await send(deposit, { userId, amount: other }, key), reused);
      const description = `an order by ${protocol}`;
      noteOrder(description, await once(createOrder, { userId, amount, description }, key));
      assertHas(await send(createOrder, { userId, amount: other, description }, key), reused);
    });

    it(`is refused unless it is short and visible ASCII, over ${protocol}`, async () => {
      // The gRPC client itself sends none of the last three.
      const odd = protocol === "REST" ? ["clé", "é", "a\tb"] : [];
      const userId = `nobody-of-${protocol}`;
      for (const key of ["", "a b", "k".repeat(256), ...odd]) {
        assertHas(await send(createAccount, { userId, currency }, key), badKey);
      }
    });

    it(`is not used up by a call that is refused, over ${protocol}`, async () => {
      const userId = `early-${protocol}`;
      const refused = await send(deposit, { userId, amount }, "early");
      assertHas(refused, { code: Code.NotFound, reason: "ACCOUNT_NOT_FOUND", replayed: false });
      assertHas(await send(createAccount, { userId, currency }, "early"), { code: 0 });
      history.accounts.push({ userId, amountMinor: 0n, currency, outcome: "ok" });
      assertHas(await send(deposit, { userId, amount }, "early"), { code: 0, replayed: false });
      history.deposits.push({ userId, amountMinor: 5n, currency, outcome: "ok" });
    });
  }

  it("is the same key in every protocol", async () => {
    const request = { userId: "polyglot", currency };
    const first = await byRest(createAccount, request, "polyglot");
    history.accounts.push({ ...request, amountMinor: 0n, outcome: "ok" });
    const second = await byGrpc(createAccount, request, "polyglot");
    assertHas(second, { code: 0, replayed: true });
    assert.equal(second.body?.createTime, first.body?.createTime);
  });

  it("makes a refund take effect once and returns the same response again", async () => {
    const userId = "refunded";
    assertHas(await byRest(createAccount, { userId, currency }, "opened"), { code: 0 });
    history.accounts.push({ userId, amountMinor: 0n, currency, outcome: "ok" });
    assertHas(await byRest(deposit, { userId, amount }, "funded"), { code: 0 });
    history.deposits.push({ userId, amountMinor: 5n, currency, outcome: "ok" });
    const { id: orderId } = await place(userId, "to be refunded");
    await eventually("the order is paid", async () => {
      const { body } = await byRest(getOrder, { userId, orderId }, "unused");
      return body?.status === "ORDER_STATUS_PAID" || undefined;
    });
    const request = { userId, orderId, amount: { minorUnits: 2n, currency } };
    for (const [send, other, key] of [
      [byRest, byGrpc, "by-rest"],
      [byGrpc, byRest, "by-grpc"],
    ] as const) {
      const first = await assertOnce(send, refundPayment, request, key);
      history.refunds.push({ orderId, amountMinor: 2n, outcome: "ok" });
      const again = await other(refundPayment, request, key);
      assertHas(again, { code: 0, replayed: true });
      assert.deepEqual(again.body?.refundedAmount, first.body?.refundedAmount);
      assertHas(await send(refundPayment, { userId, orderId }, key), reused);
    }
    // Only the last minor unit is left, so a second refund that took effect would show.
    assertHas(await byRest(refundPayment, request, "too-much"), {
      reason: "REFUND_EXCEEDS_PAYMENT",
    });
  });

  it("makes a cancellation take effect once and returns the same response again", async () => {
    const userId = "cancelling";
    // Without payments, the order waits for as long as this takes.
    await replicas.payments.kill();
    for (const [send, other, key] of [
      [byRest, byGrpc, "by-rest"],
      [byGrpc, byRest, "by-grpc"],
    ] as const) {
      const { id: orderId } = await place(userId, `cancelled ${key}`);
      const { id: kept } = await place(userId, `kept ${key}`);
      const first = await assertOnce(send, cancelOrder, { userId, orderId }, key);
      history.cancellations.push({ orderId, outcome: "ok" });
      assert.equal(first.body?.status, "ORDER_STATUS_CANCELLED");
      const again = await other(cancelOrder, { userId, orderId }, key);
      assertHas(again, { code: 0, replayed: true });
      assert.equal(again.body?.revision, first.body?.revision);
      assertHas(await send(cancelOrder, { userId, orderId: kept }, key), reused);
      // Another key is another call; the response is the same, because it is already cancelled.
      const another = await send(cancelOrder, { userId, orderId }, `${key}-2`);
      assert.deepEqual(another, first);
    }
    await system.start("payments", { port: system.ports.payments });
  });

  /** Sends all of them at once, in mixed order, alternately to two replicas. */
  const burst = async (calls: readonly BurstCall[]) => {
    const { authorization } = await tokenFor({ userId: "twins" });
    // Coprime to the numbers of calls below.
    const mixed = calls.map((_, index) => calls[(index * 77) % calls.length] ?? assert.fail());
    return Promise.all(
      mixed.map(async (call, nth) => {
        const { url } = nth % 2 === 0 ? replicas.orders : second;
        const { key, minorUnits, description } = call;
        const request = { userId: "twins", amount: { minorUnits, currency }, description };
        const response = await fetch(url + pathOf(createOrder), {
          method: "POST",
          headers: { "content-type": "application/json", "idempotency-key": key, authorization },
          body: JSON.stringify(toJson(createOrder.input, create(createOrder.input, request))),
        });
        const replayed = response.headers.get(replayedHeader) === "true";
        return { ...call, status: response.status, replayed, text: await response.text() };
      }),
    );
  };
  type BurstAnswer = Awaited<ReturnType<typeof burst>>[number];
  /** Fails unless one call took effect and the others got its response; records the order. */
  const assertOneEffect = (answers: readonly BurstAnswer[]) => {
    const [first] = answers;
    assert.ok(first);
    for (const { status, text } of answers) assert.equal(status, 200, text);
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    assert.equal(answers.filter(({ replayed }) => !replayed).length, 1);
    noteOrder(first.description, { body: JSON.parse(first.text) });
  };

  it("lets one of fifty duplicates on two replicas take effect", async () => {
    const twin = { key: "twins", minorUnits: 5n, description: "a twin" };
    assertOneEffect(await burst(Array.from({ length: 50 }, () => twin)));
  });

  it("lets one of five calls per key take effect, for forty keys in one burst on two replicas", async () => {
    const calls = Array.from({ length: 40 * 5 }, (_, nth) => {
      const key = `one-of-five-${nth % 40}`;
      return { key, minorUnits: 5n, description: key };
    });
    const answers = Map.groupBy(await burst(calls), ({ key }) => key);
    assert.equal(answers.size, 40);
    for (const same of answers.values()) assertOneEffect(same);
  });

  it("applies to one of two different requests in a burst, and refuses the other", async () => {
    const calls = Array.from({ length: 20 * 6 }, (_, nth) => {
      const key = `one-of-two-${nth % 20}`;
      const minorUnits = nth % 40 < 20 ? 5n : 6n;
      return { key, minorUnits, description: `${key} for ${minorUnits}` };
    });
    const answers = Map.groupBy(await burst(calls), ({ key }) => key);
    assert.equal(answers.size, 20);
    for (const same of answers.values()) {
      const accepted = same.filter(({ status }) => status === 200);
      assertOneEffect(accepted);
      const refused = same.filter(({ status }) => status !== 200);
      assert.equal(refused.length, 3);
      for (const { status, replayed, text } of refused) {
        assert.equal(status, 409);
        assert.equal(replayed, false);
        assert.match(text, /IDEMPOTENCY_KEY_REUSED/);
      }
      assert.equal(new Set(refused.map(({ minorUnits }) => minorUnits)).size, 1);
    }
  });

  it("leaves the system consistent", () => assertWholeAfterwards(system, history));
});
