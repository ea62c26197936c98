import assert from "node:assert/strict";
import { isMessage } from "@bufbuild/protobuf";
import type { Clock } from "@settle/chassis/base/clock";
import type { Message, MessageHandler } from "@settle/chassis/events/consumer";
import type { Outbox, OutboxEvent } from "@settle/chassis/events/outbox";
import {
  type OrderCancelledEvent,
  OrderCancelledEventSchema,
  type OrderCreatedEvent,
  type OrderCreatedEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import { DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { type Decision, decidePayment } from "./decide-payment.ts";
import { decideRefund } from "./decide-refund.ts";
import type { Movement } from "./ledger.entity.ts";
import { bookMovements, type LockedAccount, lockAccounts, move } from "./ledger.ts";
import { countDecision } from "./payment-metrics.ts";
import { paymentRefundedEvent } from "./payment-refunded-event.ts";
import { paymentResultEvent } from "./payment-result-event.ts";
import {
  insertPayments,
  type LockedPayment,
  lockPayments,
  refund,
  storeRefunds,
} from "./payments.ts";

/** The events of orders that payments handles. */
export type OrderEventSchema = typeof OrderCreatedEventSchema | typeof OrderCancelledEventSchema;

/**
 * Handles every event, in arrival order, over accounts and payments locked for the batch. The first
 * event of an order creates its payment, whose outcome is final:
 *
 * - A created order is paid or declined. If it already has a payment, of any outcome, nothing is
 *   decided again.
 * - A cancelled order without a payment gets one with the outcome CANCELLED. If its payment is
 *   PAID, all that is left of it is refunded, and the refund is published. Otherwise nothing
 *   changes.
 *
 * In every case the current state of the payment is published, once per event: orders announces an
 * order again until it has received this answer.
 *
 * Throws, to undo everything, if a cancellation names another user than the payment of its order.
 */
export function handleOrderEvents(options: {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly newId: () => string;
}): MessageHandler<OrderEventSchema> {
  const { outbox, clock, newId } = options;
  return async (transaction, messages) => {
    const accounts = await lockAccounts(
      transaction,
      messages.map(({ event }) => event.userId),
    );
    const payments = await lockPayments(
      transaction,
      messages.map(({ event }) => event.orderId),
    );
    const now = new Date(clock.nowMs());
    const changes = decideAll(messages, { accounts, payments, now, newId });
    await insertPayments(transaction, [...changes.decided]);
    transaction.afterCommit(() => {
      for (const payment of changes.decided) countDecision(payment);
    });
    await storeRefunds(transaction, [...changes.refunded]);
    await bookMovements(transaction, changes.movements, now);
    await outbox.write(transaction, changes.events);
    return { tooEarly: [] };
  };
}

/** The result of a batch. */
type Changes = {
  /** New payments, including what this batch has refunded of them. */
  readonly decided: ReadonlySet<LockedPayment>;
  /** Payments from before the batch that this batch has refunded. */
  readonly refunded: ReadonlySet<LockedPayment>;
  readonly movements: readonly Movement[];
  readonly events: readonly OutboxEvent[];
};

function decideAll(
  messages: readonly Message<OrderEventSchema>[],
  options: {
    readonly accounts: ReadonlyMap<string, LockedAccount>;
    readonly payments: Map<string, LockedPayment>;
    readonly now: Date;
    readonly newId: () => string;
  },
): Changes {
  const { accounts, payments, now, newId } = options;
  const decided = new Set<LockedPayment>();
  const refunded = new Set<LockedPayment>();
  const movements: Movement[] = [];
  const events: OutboxEvent[] = [];

  const add = (payment: LockedPayment) => {
    payments.set(payment.orderId, payment);
    decided.add(payment);
    return payment;
  };
  const pay = (event: OrderCreatedEvent, receiveTimeMs: number) => {
    const account = accounts.get(event.userId);
    const decision = decidePayment(account, amountOf(event));
    const payment = add(newPayment(event, decision, { receiveTimeMs, decideTime: now }));
    if (!account || decision.outcome !== PaymentOutcome.PAID) return payment;
    const { orderId, amountMinor } = payment;
    const kind = LedgerEntryKind.PAYMENT;
    movements.push(move(account, { id: newId(), kind, amountMinor: -amountMinor, orderId }));
    return payment;
  };
  const refundAll = (payment: LockedPayment) => {
    const decision = decideRefund(payment, undefined);
    if ("refusal" in decision) return;
    const { amountMinor } = decision;
    const account = accounts.get(payment.userId);
    movements.push(refund(payment, account, { movementId: newId(), amountMinor, bookTime: now }));
    events.push(paymentRefundedEvent(payment, newId()));
    if (!decided.has(payment)) refunded.add(payment);
  };

  const cancel = (
    event: OrderCancelledEvent,
    earlier: LockedPayment | undefined,
    receiveTimeMs: number,
  ) => {
    if (!earlier) return add(newPayment(event, cancelled, { receiveTimeMs, decideTime: now }));
    assert.equal(event.userId, earlier.userId, `order ${event.orderId} belongs to another user`);
    refundAll(earlier);
    return earlier;
  };

  for (const { event, receiveTimeMs } of messages) {
    const earlier = payments.get(event.orderId);
    const payment = isMessage(event, OrderCancelledEventSchema)
      ? cancel(event, earlier, receiveTimeMs)
      : (earlier ?? pay(event, receiveTimeMs));
    events.push(paymentResultEvent(payment, { id: newId(), createTimeMs: now.getTime() }));
  }
  return { decided, refunded, movements, events };
}

const cancelled: Decision = {
  outcome: PaymentOutcome.CANCELLED,
  declineReason: DeclineReason.UNSPECIFIED,
};

function newPayment(
  event: OrderCreatedEvent | OrderCancelledEvent,
  decision: Decision,
  { receiveTimeMs, decideTime }: { readonly receiveTimeMs: number; readonly decideTime: Date },
): LockedPayment {
  const { orderId, userId } = event;
  return {
    orderId,
    userId,
    ...amountOf(event),
    ...decision,
    refundedMinor: 0n,
    receiveTime: new Date(receiveTimeMs),
    decideTime,
    refundTime: null,
  };
}

function amountOf({ orderId, amount }: OrderCreatedEvent | OrderCancelledEvent) {
  assert(amount, `the event of order ${orderId} must have an amount`);
  return { amountMinor: amount.minorUnits, currency: amount.currency };
}
