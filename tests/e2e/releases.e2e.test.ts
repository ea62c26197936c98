import assert from "node:assert/strict";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { newId } from "@settle/chassis/base/new-id";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import {
  OrderCreatedEventSchema,
  PaymentRefundedEventSchema,
  type PaymentResultEvent,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { play, type Stage } from "../../tools/release/play.ts";
import { type RecordedEvent, readRecording } from "../../tools/release/recording.ts";
import { releases } from "../../tools/release/releases.ts";
import { findDifferences } from "../../tools/release/same-facts.ts";
import { successOf } from "../harness/calls/call.ts";
import { checkTimeoutMs } from "../harness/checker/checker.ts";
import { onBroker, peek } from "../harness/system/queues.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { getOrder } = OrdersService.method;
const { getAccount, getPayment, deposit } = PaymentsService.method;

for (const folder of releases(root)) {
  const { recording, types } = readRecording(folder);
  const eventsOf = (type: string) =>
    recording.events.filter(({ properties }) => properties.type === type);
  const results = eventsOf(PaymentResultEventSchema.typeName);
  const created = eventsOf(OrderCreatedEventSchema.typeName);
  const refunds = eventsOf(PaymentRefundedEventSchema.typeName);
  const resultOf = ({ body }: RecordedEvent) =>
    fromBinary(PaymentResultEventSchema, Buffer.from(body, "base64"));

  describe(`the release ${basename(folder)}`, function () {
    this.timeout(checkTimeoutMs);
    let system: System;

    before(async () => {
      system = await startSystem();
      await system.startBoth();
    });
    after(() => system?.[Symbol.asyncDispose]());

    it("has its calls answered as before, by REST and in binary", async () => {
      const token: Stage["token"] = (user, admin) => tokenOf(user, admin ? ["admin"] : []);
      const stage = { edgeUrl: system.edgeUrl, types, token };
      let count = 0;
      await play(stage, recording.calls, (step, { status, body }) => {
        const about = `${step.way} ${step.rest} of ${step.user}`;
        assert.equal(status, step.answer.status, `${about}: ${JSON.stringify(body)}`);
        assert.deepEqual(findDifferences(step.answer.body, body), [], about);
        count += 1;
      });
      assert.equal(count, recording.calls.length);
    });

    it("has its results of payments understood: they settle and refund orders", async () => {
      for (const result of results.map(resultOf)) await insertPending(system, result);
      await publish(system, results);
      for (const result of results.map(resultOf)) await assertSettled(system, result);
      await publish(system, refunds);
      for (const event of refunds) await assertRefunded(system, event);
    });

    it("has its orders understood: they are paid or declined as before", async () => {
      const { call } = system;
      const readBalance = async () =>
        (await successOf(call(getAccount, { userId: "typical-rest" }))).balance?.minorUnits;
      const before = await readBalance();
      // What is paid once more comes from what is deposited for it.
      for (const { outcome, userId, amount } of results.map(resultOf)) {
        if (outcome !== PaymentOutcome.PAID || !amount) continue;
        await successOf(call(deposit, { userId, amount }));
      }
      await publish(system, created);
      for (const result of results.map(resultOf)) await assertPaid(system, result);
      assert.equal(await readBalance(), before);
      assert.deepEqual(await peek(system.broker.adminUrl, topologyOf("orders").deadLetters), []);
      assert.deepEqual(await peek(system.broker.adminUrl, topologyOf("payments").deadLetters), []);
    });

    it("has no event that is replayed nowhere", () => {
      assert.equal(results.length + refunds.length + created.length, recording.events.length);
    });

    it("reads what a later release writes, and refuses what it cannot know", async () => {
      const { adminUrl } = system.broker;
      const [order, result] = [created[0], results[0]];
      assert.ok(order && result);
      const later = create(order, OrderCreatedEventSchema, (event) => ({
        ...event,
        orderId: newId(),
      }));
      const unheardOf = create(result, PaymentResultEventSchema, (event) => ({
        ...event,
        outcome: 99 as PaymentOutcome,
      }));
      await publish(system, [later, unheardOf]);
      const { orderId, userId } = fromBinary(OrderCreatedEventSchema, bytesOf(later));
      const { call } = system;
      await eventually("the order with a new field is paid", async () => {
        const answer = await call(getPayment, { orderId, userId });
        return answer.ok && answer.message.outcome === PaymentOutcome.PAID ? true : undefined;
      });
      const letters = await eventually("the outcome that is new is put aside", async () => {
        const found = await peek(adminUrl, topologyOf("orders").deadLetters);
        return found.length > 0 ? found : undefined;
      });
      assert.deepEqual(
        letters.map(({ headers }) => String(headers["x-reason"]).replace(/:.*/, "")),
        ["breaks its rules"],
      );
    });
  });
}

/** A field that no release up to now has: number 127, a varint. */
const unknownField = Buffer.from([0xf8, 0x07, 0x01]);

/** A copy of the event, changed and with a field that is unknown today. */
function create<Schema extends typeof OrderCreatedEventSchema | typeof PaymentResultEventSchema>(
  event: RecordedEvent,
  schema: Schema,
  change: (message: MessageShape<Schema>) => MessageShape<Schema>,
): RecordedEvent {
  const changed = toBinary(schema, change(fromBinary(schema, bytesOf(event))));
  return { ...event, body: Buffer.concat([changed, unknownField]).toString("base64") };
}

function bytesOf({ body }: RecordedEvent): Buffer {
  return Buffer.from(body, "base64");
}

/** Publishes the events as their service did, under new ids: those of old are refused after 30 days. */
async function publish(system: System, events: readonly RecordedEvent[]): Promise<void> {
  await onBroker(system.broker.adminUrl, async (channel) => {
    for (const event of events) {
      const properties = { ...event.properties, messageId: newId() };
      channel.publish(event.exchange, event.routingKey, bytesOf(event), properties);
    }
    await channel.waitForConfirms();
  });
}

/** Stores the order that the result is about, as it was before its result came. */
async function insertPending({ databases }: System, result: PaymentResultEvent): Promise<void> {
  const { orderId, userId, amount } = result;
  const { rows } = await databases.orders.query(
    `INSERT INTO user_revisions AS known VALUES ($1, 1)
     ON CONFLICT (user_id) DO UPDATE SET revision = known.revision + 1 RETURNING revision`,
    [userId],
  );
  await databases.orders.query(
    `INSERT INTO orders (id, user_id, amount_minor, currency, description, status, revision,
       create_time, update_time)
     VALUES ($1, $2, $3, $4, '', $5, $6, now(), now())`,
    [
      orderId,
      userId,
      amount?.minorUnits,
      amount?.currency,
      OrderStatus.PENDING_PAYMENT,
      rows[0]?.revision,
    ],
  );
}

async function assertSettled(system: System, result: PaymentResultEvent): Promise<void> {
  const { orderId, userId, outcome, declineReason } = result;
  const { call } = system;
  const order = await eventually(`order ${orderId} is settled`, async () => {
    const found = await successOf(call(getOrder, { orderId, userId }));
    return found.status === OrderStatus.PENDING_PAYMENT ? undefined : found;
  });
  const isPaid = outcome === PaymentOutcome.PAID;
  assert.equal(order.status, isPaid ? OrderStatus.PAID : OrderStatus.PAYMENT_DECLINED);
  assert.equal(order.declineReason, declineReason);
}

async function assertRefunded(system: System, event: RecordedEvent): Promise<void> {
  const { orderId, userId, refundedAmount } = fromBinary(
    PaymentRefundedEventSchema,
    bytesOf(event),
  );
  const { call } = system;
  await eventually(`order ${orderId} shows its refund`, async () => {
    const order = await successOf(call(getOrder, { orderId, userId }));
    return order.refundedAmount?.minorUnits === refundedAmount?.minorUnits ? true : undefined;
  });
}

async function assertPaid(system: System, result: PaymentResultEvent): Promise<void> {
  const { orderId, userId, outcome, declineReason, amount } = result;
  const { call } = system;
  const payment = await eventually(`order ${orderId} is decided`, async () => {
    const answer = await call(getPayment, { orderId, userId });
    return answer.ok ? answer.message : undefined;
  });
  assert.deepEqual(
    [payment.outcome, payment.declineReason, payment.amount?.minorUnits],
    [outcome, declineReason, amount?.minorUnits],
  );
}
