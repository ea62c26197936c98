import assert from "node:assert/strict";
import {
  file_events_v1_events,
  OrderCreatedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { MoneySchema } from "@settle/gen/money/v1/money_pb";
import {
  assertRouted,
  isWaitedFor,
  publicationsOf,
  routeOf,
  subscriptionsOf,
} from "../../src/contract/routes.ts";
import { madeUpEvent } from "./made-up-event.ts";

const both = madeUpEvent("Both", { from: "shop", to: ["till"], alsoTo: ["archive"] });
const only = madeUpEvent("Only", { from: "shop", alsoTo: ["archive", "stock"] });
const none = madeUpEvent("None", { from: "shop" });

describe("the route of an event", () => {
  it("is what the contract says; a message that is no event has none", () => {
    const { from, to } = routeOf(PaymentResultEventSchema) ?? assert.fail();
    assert.deepEqual({ from, to }, { from: "payments", to: ["orders"] });
    assert.deepEqual(routeOf(both)?.alsoTo, ["archive"]);
    assert.equal(routeOf(MoneySchema), undefined);
  });

  it("makes the subscriptions of a service", () => {
    const all = [MoneySchema, ...file_events_v1_events.messages];
    assert.deepEqual(subscriptionsOf("orders", all), {
      payments: ["events.v1.PaymentResultEvent", "events.v1.PaymentRefundedEvent"],
    });
    assert.deepEqual(subscriptionsOf("stock", all), {});
    assert.deepEqual(subscriptionsOf("archive", [both, only, none]), {
      shop: ["test.v1.Both", "test.v1.Only"],
    });
  });

  it("is required for every event that a service handles", () => {
    assertRouted("payments", [OrderCreatedEventSchema]);
    assert.throws(
      () => assertRouted("payments", [OrderCreatedEventSchema, PaymentResultEventSchema]),
      /does not route events\.v1\.PaymentResultEvent to payments/,
    );
    assert.throws(() => assertRouted("payments", [MoneySchema]), /money\.v1\.Money/);
    assertRouted("archive", [both, only]);
    assert.throws(() => assertRouted("archive", [none]), /test\.v1\.None to archive/);
  });

  it("says for whom a publisher waits", () => {
    assert.equal(isWaitedFor("till", [only, both]), true);
    assert.equal(isWaitedFor("archive", [only, both]), false);
    const two = madeUpEvent("Two", { from: "till", to: ["archive"] });
    assert.equal(isWaitedFor("archive", [only, two]), true);
    for (const service of ["orders", "payments"]) {
      assert.equal(isWaitedFor(service, file_events_v1_events.messages), true, service);
    }
  });

  it("says what a service publishes, and keeps it from publishing what is another's", () => {
    assert.deepEqual(
      [...publicationsOf("shop", [both, only, none])].map(([name, { schema, isMandatory }]) => {
        return [name, schema.typeName, isMandatory];
      }),
      [
        ["test.v1.Both", "test.v1.Both", true],
        ["test.v1.Only", "test.v1.Only", false],
        ["test.v1.None", "test.v1.None", false],
      ],
    );
    assert.throws(
      () => publicationsOf("orders", [OrderCreatedEventSchema, PaymentResultEventSchema]),
      /does not let orders publish events\.v1\.PaymentResultEvent/,
    );
    assert.throws(() => publicationsOf("orders", [MoneySchema]), /money\.v1\.Money/);
  });

  it("exists for every event that there is, if only for other teams", () => {
    for (const event of file_events_v1_events.messages) {
      assert.ok(routeOf(event)?.from, event.typeName);
    }
  });
});
