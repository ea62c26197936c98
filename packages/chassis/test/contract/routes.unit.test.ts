import assert from "node:assert/strict";
import {
  file_events_v1_events,
  OrderCreatedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { MoneySchema } from "@settle/gen/money/v1/money_pb";
import { assertRouted, routeOf, subscriptionsOf } from "../../src/contract/routes.ts";

describe("the route of an event", () => {
  it("is what the contract says; a message that is no event has none", () => {
    const { from, to } = routeOf(PaymentResultEventSchema) ?? assert.fail();
    assert.deepEqual({ from, to }, { from: "payments", to: ["orders"] });
    assert.equal(routeOf(MoneySchema), undefined);
  });

  it("makes the subscriptions of a service", () => {
    const all = [MoneySchema, ...file_events_v1_events.messages];
    assert.deepEqual(subscriptionsOf("orders", all), {
      payments: ["events.v1.PaymentResultEvent", "events.v1.PaymentRefundedEvent"],
    });
    assert.deepEqual(subscriptionsOf("stock", all), {});
  });

  it("is required for every event that a service handles", () => {
    assertRouted("payments", [OrderCreatedEventSchema]);
    assert.throws(
      () => assertRouted("payments", [OrderCreatedEventSchema, PaymentResultEventSchema]),
      /does not route events\.v1\.PaymentResultEvent to payments/,
    );
    assert.throws(() => assertRouted("payments", [MoneySchema]), /money\.v1\.Money/);
  });

  it("exists for every event that there is", () => {
    for (const event of file_events_v1_events.messages) {
      assert.ok(routeOf(event)?.to.length, event.typeName);
    }
  });
});
