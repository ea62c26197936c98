import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { newId } from "@settle/chassis/base/new-id";
import { firstIdAt } from "@settle/chassis/contract/message-id";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import { OrderCreatedEventSchema, PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import { MoneySchema } from "@settle/gen/money/v1/money_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, createShopper } from "../harness/checker/history.ts";
import { readDeadLetters } from "../harness/system/dead-letters.ts";
import { type Event, publish } from "../harness/system/queues.ts";
import { type ServiceName, type System, startSystem } from "../harness/system/system.ts";

const dayMs = 86_400_000;

/** A message that cannot be handled, and the expected contents of its dead letter. */
type Poison = { readonly event: Partial<Event>; readonly reason: RegExp };

describe("a poison message", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;

  before(async () => {
    system = await startSystem();
    await system.startBoth();
  });
  after(() => system?.[Symbol.asyncDispose]());

  const created = create(OrderCreatedEventSchema, {
    orderId: newId(),
    userId: "poisoned",
    amount: { minorUnits: 1n, currency: "EUR" },
    createTime: timestampNow(),
  });
  const result = create(PaymentResultEventSchema, {
    orderId: newId(),
    userId: "poisoned",
    outcome: PaymentOutcome.PAID,
    amount: { minorUnits: 1n, currency: "EUR" },
    decideTime: timestampNow(),
  });
  const bodies: Readonly<Record<ServiceName, { type: string; good: Buffer; ruleless: Buffer }>> = {
    payments: {
      type: OrderCreatedEventSchema.typeName,
      good: bufferOf(toBinary(OrderCreatedEventSchema, created)),
      ruleless: bufferOf(
        toBinary(OrderCreatedEventSchema, {
          ...created,
          amount: create(MoneySchema, { minorUnits: 0n, currency: "EUR" }),
        }),
      ),
    },
    orders: {
      type: PaymentResultEventSchema.typeName,
      good: bufferOf(toBinary(PaymentResultEventSchema, result)),
      ruleless: bufferOf(
        toBinary(PaymentResultEventSchema, { ...result, outcome: PaymentOutcome.UNSPECIFIED }),
      ),
    },
  };
  const poisonFor = (service: ServiceName): readonly Poison[] => {
    const { type, good, ruleless } = bodies[service];
    const idAt = (timeMs: number) => firstIdAt(timeMs).replace("-0000-0000-", "-7000-8000-");
    // A unique body for each, to find it again.
    let count = 0;
    const unlike = () => {
      count += 1;
      return Buffer.concat([good, Buffer.from([0xf8, 0x07, count])]);
    };
    return [
      {
        event: { messageId: newId(), type, body: Buffer.from([0xff, 0xff, 0xff]) },
        reason: new RegExp(`^the body is not a valid ${type}$`),
      },
      {
        event: { messageId: newId(), type: "events.v1.UnheardOfEvent", body: unlike() },
        reason: /^type events\.v1\.UnheardOfEvent is not handled here$/,
      },
      {
        event: { messageId: newId(), body: unlike() },
        reason: /^type \(none\) is not handled here$/,
      },
      {
        event: { messageId: newId(), type, body: ruleless },
        reason: /^violates its validation rules: /,
      },
      {
        event: { messageId: crypto.randomUUID(), type, body: unlike() },
        reason: /^message_id is not a UUIDv7$/,
      },
      { event: { type, body: unlike() }, reason: /^message_id is not a UUIDv7$/ },
      {
        event: { messageId: idAt(Date.now() - 40 * dayMs), type, body: unlike() },
        reason: /^message_id is older than 30 days$/,
      },
    ];
  };

  it("goes to the dead letters with its reason, and blocks no other", async () => {
    const { adminUrl } = system.broker;
    const shopper = createShopper(history, system.call);
    await shopper.fundedAccount("poisoned", 1_000n);
    const startMs = Date.now();
    for (const service of ["payments", "orders"] as const) {
      const poison = poisonFor(service);
      history.poison.push(...poison.map(({ event }) => event.body?.toString("hex") ?? ""));
      const orders = Array.from({ length: 20 }, () =>
        shopper.createOrder("poisoned", 1n, { label: "beside poison" }),
      );
      for (const { event } of poison) await publish(adminUrl, topologyOf(service).work, [event]);
      await Promise.all(orders);
      const letters = await eventually(`the poison of ${service} is found`, async () => {
        const found = await readDeadLetters(system.databases[service]);
        return found.length >= poison.length ? found : undefined;
      });
      for (const { event, reason } of poison) {
        const letter = letters.find(({ body }) => event.body?.equals(body));
        assert.ok(letter, `${reason} is not among the dead letters`);
        const { "x-attempt": attempt, "x-first-seen": seenMs } = letter.headers;
        assert.match(letter.reason, reason);
        assert.equal(letter.attempts, 1);
        assert.equal(attempt, 0);
        assert.ok(Number(seenMs) >= startMs && Number(seenMs) <= Date.now());
        assert.equal(letter.messageId ?? "", event.messageId ?? "");
        assert.equal(letter.type ?? "", event.type ?? "");
      }
    }
  });

  it("leaves the system consistent", () => assertWholeAfterwards(system, history));
});

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}
