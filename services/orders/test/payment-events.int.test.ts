import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { claimMessages } from "@settle/chassis/inbox";
import { newId } from "@settle/chassis/new-id";
import { testLog } from "@settle/chassis/testing";
import { PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import { type Order, OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { settleOrders } from "../src/payment-events.ts";
import { setupOrders } from "./orders-setup.ts";

describe("orders' handling of payment events", () => {
  let setup: Awaited<ReturnType<typeof setupOrders>>;
  before(async () => {
    setup = await setupOrders();
  });
  after(() => setup[Symbol.asyncDispose]());

  const ordersOf = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, nth) => setup.createOrder(`user-${nth % 7}`, "one")),
    );
  const resultOf = (
    { id: orderId, userId }: Pick<Order, "id" | "userId">,
    declineReason: DeclineReason = DeclineReason.UNSPECIFIED,
  ) => ({
    id: newId(),
    receiveTimeMs: Date.now(),
    event: create(PaymentResultEventSchema, {
      orderId,
      userId,
      outcome: declineReason ? PaymentOutcome.DECLINED : PaymentOutcome.PAID,
      declineReason,
      amount: { minorUnits: 1n, currency: "EUR" },
      decideTime: timestampNow(),
    }),
  });
  const settle = (messages: readonly ReturnType<typeof resultOf>[]) =>
    setup.database.transaction(async (transaction) => {
      await claimMessages(
        transaction,
        messages.map(({ id }) => id),
      );
      return settleOrders(testLog)(transaction, messages);
    });
  const statusOf = async (id: string) => {
    const [row] = await setup.database.query<{ status: number; decline_reason: number }>(
      "SELECT status, decline_reason FROM orders WHERE id = $1",
      [id],
    );
    return row;
  };

  it("takes as many statements for a hundred as for one", async () => {
    for (const size of [1, 10, 100]) {
      const orders = await ordersOf(size);
      const before = setup.database.statements.length;
      await settle(orders.map((order) => resultOf(order)));
      assert.deepEqual(setup.database.statements.slice(before), [2], `${size} results`);
    }
  });

  it("moves an order once, whatever comes later or twice", async () => {
    const [order] = await ordersOf(1);
    assert.ok(order);
    const declined = resultOf(order, DeclineReason.INSUFFICIENT_FUNDS);
    assert.deepEqual(await settle([declined, resultOf(order)]), { tooEarly: [] });
    assert.deepEqual(await settle([resultOf(order)]), { tooEarly: [] });
    assert.deepEqual(await statusOf(order.id), {
      status: OrderStatus.PAYMENT_DECLINED,
      decline_reason: DeclineReason.INSUFFICIENT_FUNDS,
    });
  });

  it("calls a result too early whose order is not there, and applies the others", async () => {
    const [order] = await ordersOf(1);
    assert.ok(order);
    const early = resultOf({ id: newId(), userId: "user-0" });
    const { tooEarly } = await settle([early, resultOf(order)]);
    assert.deepEqual(tooEarly, [early.id]);
    assert.equal((await statusOf(order.id))?.status, OrderStatus.PAID);
  });
});
