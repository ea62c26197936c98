import assert from "node:assert/strict";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary, type Message, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { newId } from "@settle/chassis/base/new-id";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import {
  type OrderCancelledEvent,
  OrderCancelledEventSchema,
  OrderCreatedEventSchema,
  type PaymentRefundedEvent,
  PaymentRefundedEventSchema,
  type PaymentResultEvent,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { OrderStatus } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { play, type Stage } from "../../tools/release/play.ts";
import { type RecordedEvent, readRecording } from "../../tools/release/recording.ts";
import { releases } from "../../tools/release/releases.ts";
import { findDifferences } from "../../tools/release/same-facts.ts";
import { successOf } from "../harness/calls/call.ts";
import { checkTimeoutMs } from "../harness/checker/checker.ts";
import { readDeadLetters } from "../harness/system/dead-letters.ts";
import { onBroker, peek } from "../harness/system/queues.ts";
import { type ServiceName, type System, startSystem } from "../harness/system/system.ts";
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
  const cancellations = eventsOf(OrderCancelledEventSchema.typeName);
  const refunds = eventsOf(PaymentRefundedEventSchema.typeName);
  const lastResults = lastOfEachOrder(PaymentResultEventSchema, results);
  const lastRefunds = lastOfEachOrder(PaymentRefundedEventSchema, refunds);
  const cancelled = lastOfEachOrder(OrderCancelledEventSchema, cancellations);

  describe(`the release ${basename(folder)}`, function () {
    this.timeout(checkTimeoutMs);
    let system: System;
    let paymentsPid: number;

    before(async () => {
      system = await startSystem();
      paymentsPid = (await system.startBoth()).payments.pid;
    });
    after(() => system?.[Symbol.asyncDispose]());

    it("gets the same responses to its calls as before, over REST and in binary", async () => {
      const token: Stage["token"] = (user, admin) => tokenOf(user, admin ? ["admin"] : []);
      const stage = { edgeUrl: system.edgeUrl, types, token, paymentsPid };
      let count = 0;
      await play(stage, recording.calls, (step, { status, headers = {}, body }) => {
        const about = `${step.way} ${step.rest} of ${step.user}`;
        assert.equal(status, step.answer.status, `${about}: ${JSON.stringify(body)}`);
        assert.deepEqual(findDifferences(step.answer.headers ?? {}, headers), [], about);
        assert.deepEqual(findDifferences(step.answer.body, body), [], about);
        count += 1;
      });
      assert.equal(count, recording.calls.length);
    });

    it("has its payment results understood: they settle and refund orders", async () => {
      for (const result of lastResults.values()) {
        await insertUnsettled(system, result, cancelled.get(result.orderId));
      }
      await replay(system, "orders", results);
      for (const result of lastResults.values()) {
        await assertSettled(system, result, cancelled.has(result.orderId));
      }
      await assertCancellationsAnswered(system);
      await replay(system, "orders", refunds);
      for (const event of lastRefunds.values()) await assertRefunded(system, event);
    });

    it("has its orders understood: they are paid, declined or cancelled as before", async () => {
      const { call } = system;
      const readBalance = async () =>
        (await successOf(call(getAccount, { userId: "typical-rest" }))).balance?.minorUnits;
      const before = await readBalance();
      // Orders that are paid again need new deposits.
      for (const { outcome, userId, amount } of lastResults.values()) {
        if (outcome !== PaymentOutcome.PAID || !amount) continue;
        await successOf(call(deposit, { userId, amount }));
      }
      await replay(system, "payments", created);
      for (const result of lastResults.values()) await assertDecided(system, result);
      await replay(system, "payments", cancellations);
      for (const orderId of cancelled.keys()) {
        await assertGivenBack(system, lastResults.get(orderId));
      }
      assert.equal(await readBalance(), before);
      for (const service of ["orders", "payments"] as const) {
        assert.deepEqual(await peek(system.broker.adminUrl, topologyOf(service).deadLetters), []);
        assert.deepEqual(await readDeadLetters(system.databases[service]), []);
      }
    });

    it("has every one of its events replayed", () => {
      const replayed = [created, cancellations, results, refunds].flat();
      assert.equal(replayed.length, recording.events.length);
    });

    it("reads events of a later release, and rejects those that it cannot know", async () => {
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
        const found = await readDeadLetters(system.databases.orders);
        return found.length > 0 ? found : undefined;
      });
      assert.deepEqual(
        letters.map(({ reason }) => reason.replace(/:.*/, "")),
        ["violates its validation rules"],
      );
    });
  });
}

/** The last event about each order, by the order's id. */
function lastOfEachOrder<Event extends Message & { readonly orderId: string }>(
  schema: GenMessage<Event>,
  events: readonly RecordedEvent[],
): ReadonlyMap<string, Event> {
  const messages = events.map((event) => fromBinary(schema, bytesOf(event)));
  return new Map(messages.map((message) => [message.orderId, message]));
}

/** A field that no release has so far: number 127, a varint. */
const unknownField = Buffer.from([0xf8, 0x07, 0x01]);

/** Returns a changed copy of the event with a field that is unknown today. */
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

/**
 * Publishes the events as their service did and returns their new ids. Consumers refuse ids that are
 * older than 30 days.
 */
async function publish(
  system: System,
  events: readonly RecordedEvent[],
): Promise<readonly string[]> {
  const ids: string[] = [];
  await onBroker(system.broker.adminUrl, async (channel) => {
    for (const event of events) {
      const messageId = newId();
      const properties = { ...event.properties, messageId };
      channel.publish(event.exchange, event.routingKey, bytesOf(event), properties);
      ids.push(messageId);
    }
    await channel.waitForConfirms();
  });
  return ids;
}

/** Publishes the events and waits until the service has committed the effect of each. */
async function replay(
  system: System,
  service: ServiceName,
  events: readonly RecordedEvent[],
): Promise<void> {
  const ids = await publish(system, events);
  await eventually(`${service} has taken ${ids.length} events`, async () => {
    const { rows } = await system.databases[service].query(
      "SELECT FROM inbox WHERE message_id = ANY($1::uuid[])",
      [ids],
    );
    return rows.length === ids.length ? true : undefined;
  });
}

/** Stores the order of the result in its state before the result. */
async function insertUnsettled(
  { databases }: System,
  { orderId, userId, amount }: PaymentResultEvent,
  cancellation: OrderCancelledEvent | undefined,
): Promise<void> {
  const { rows } = await databases.orders.query(
    `INSERT INTO user_revisions AS known VALUES ($1, 1)
     ON CONFLICT (user_id) DO UPDATE SET revision = known.revision + 1 RETURNING revision`,
    [userId],
  );
  await databases.orders.query(
    `INSERT INTO orders (id, user_id, amount_minor, currency, description, status, revision,
       create_time, update_time, settle_time)
     VALUES ($1, $2, $3, $4, '', $5, $6, now(), now(), $7)`,
    [
      orderId,
      userId,
      amount?.minorUnits,
      amount?.currency,
      cancellation ? OrderStatus.CANCELLED : OrderStatus.PENDING_PAYMENT,
      rows[0]?.revision,
      cancellation?.cancelTime ? timestampDate(cancellation.cancelTime) : null,
    ],
  );
}

async function assertSettled(
  { call }: System,
  { orderId, userId, outcome, declineReason, refundedAmount }: PaymentResultEvent,
  isCancelled: boolean,
): Promise<void> {
  const order = await successOf(call(getOrder, { orderId, userId }));
  const isPaid = outcome === PaymentOutcome.PAID;
  const decided = isPaid ? OrderStatus.PAID : OrderStatus.PAYMENT_DECLINED;
  assert.deepEqual(
    [order.status, order.declineReason, order.refundedAmount?.minorUnits],
    [
      isCancelled ? OrderStatus.CANCELLED : decided,
      isCancelled ? DeclineReason.UNSPECIFIED : declineReason,
      refundedAmount?.minorUnits ?? 0n,
    ],
  );
}

/** Asserts that payments handled every cancellation: it was refunded, or nothing was debited. */
async function assertCancellationsAnswered({ databases }: System): Promise<void> {
  const { rows } = await databases.orders.query(
    `SELECT id FROM orders WHERE status = ${OrderStatus.CANCELLED} AND NOT nothing_taken
       AND refunded_minor < amount_minor`,
  );
  assert.deepEqual(rows, []);
}

async function assertRefunded({ call }: System, event: PaymentRefundedEvent): Promise<void> {
  const { orderId, userId, refundedAmount } = event;
  const order = await successOf(call(getOrder, { orderId, userId }));
  assert.equal(order.refundedAmount?.minorUnits, refundedAmount?.minorUnits);
}

async function assertDecided({ call }: System, result: PaymentResultEvent): Promise<void> {
  const { orderId, userId, outcome, declineReason, amount } = result;
  const payment = await successOf(call(getPayment, { orderId, userId }));
  assert.deepEqual(
    [payment.outcome, payment.declineReason, payment.amount?.minorUnits],
    [outcome, declineReason, amount?.minorUnits],
  );
}

/** Asserts that payments refunded the amount in the last recorded result of a cancelled order. */
async function assertGivenBack(
  { call }: System,
  result: PaymentResultEvent | undefined,
): Promise<void> {
  assert.ok(result, "each cancellation was answered");
  const { orderId, userId, refundedAmount } = result;
  const payment = await successOf(call(getPayment, { orderId, userId }));
  assert.equal(payment.refundedAmount?.minorUnits, refundedAmount?.minorUnits ?? 0n);
}
