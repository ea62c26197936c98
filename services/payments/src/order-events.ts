import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Clock } from "@settle/chassis/clock";
import type { MessageHandler } from "@settle/chassis/consumer";
import type { Transaction } from "@settle/chassis/database";
import { transactionConflict } from "@settle/chassis/database-failure";
import { type Outbox, outboxEvent } from "@settle/chassis/outbox";
import {
  type OrderCreatedEvent,
  type OrderCreatedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import { type DeclineReason, PaymentOutcome } from "@settle/gen/payments/v1/payment_pb";
import { decidePayment } from "./decide-payment.ts";
import type { Movement } from "./ledger.entity.ts";
import { bookMovements, lockAccounts, move } from "./ledger.ts";
import type { PaymentEntity } from "./payment.entity.ts";

type DecidedPayment = Omit<PaymentEntity, "refundedMinor" | "refundTime">;

/**
 * Decides and debits every order, in the order of arrival, over accounts locked for the batch, and
 * publishes each result. An order that was decided before is not decided again: its result is
 * published once more, for whoever has lost it.
 */
export function payOrders(options: {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly newId: () => string;
}): MessageHandler<typeof OrderCreatedEventSchema> {
  const { outbox, clock, newId } = options;
  return async (transaction, messages) => {
    const accounts = await lockAccounts(
      transaction,
      messages.map(({ event }) => event.userId),
    );
    const payments = await findPayments(
      transaction,
      messages.map(({ event }) => event.orderId),
    );
    const decideTime = new Date(clock.nowMs());
    const results: DecidedPayment[] = [];
    const decided: DecidedPayment[] = [];
    const movements: Movement[] = [];
    for (const { event, receiveTimeMs } of messages) {
      const { orderId, userId } = event;
      const earlier = payments.get(orderId);
      if (earlier) {
        results.push(earlier);
        continue;
      }
      const account = accounts.get(userId);
      const order = amountOf(event);
      const decision = decidePayment(account, order);
      const receiveTime = new Date(receiveTimeMs);
      const payment = { orderId, userId, ...order, ...decision, receiveTime, decideTime };
      if (account && decision.outcome === PaymentOutcome.PAID) {
        movements.push(
          move(account, {
            id: newId(),
            kind: LedgerEntryKind.PAYMENT,
            amountMinor: -order.amountMinor,
            orderId,
          }),
        );
      }
      payments.set(orderId, payment);
      decided.push(payment);
      results.push(payment);
    }
    await insertPayments(transaction, decided);
    await bookMovements(transaction, movements, decideTime);
    await outbox.write(
      transaction,
      results.map((payment) => resultEvent(payment, newId(), clock.nowMs())),
    );
    return { tooEarly: [] };
  };
}

async function findPayments(
  transaction: Transaction,
  orderIds: readonly string[],
): Promise<Map<string, DecidedPayment>> {
  const rows = await transaction.query<{
    order_id: string;
    user_id: string;
    amount_minor: string;
    currency: string;
    outcome: PaymentOutcome;
    decline_reason: DeclineReason;
    received_ms: string;
    decided_ms: string;
  }>(
    `SELECT order_id, user_id, amount_minor, currency, outcome, decline_reason,
            (extract(epoch FROM receive_time) * 1000)::bigint AS received_ms,
            (extract(epoch FROM decide_time) * 1000)::bigint AS decided_ms
     FROM payments WHERE order_id = ANY($1::uuid[])`,
    [orderIds],
  );
  return new Map(
    rows.map((row) => [
      row.order_id,
      {
        orderId: row.order_id,
        userId: row.user_id,
        amountMinor: BigInt(row.amount_minor),
        currency: row.currency,
        outcome: row.outcome,
        declineReason: row.decline_reason,
        receiveTime: new Date(Number(row.received_ms)),
        decideTime: new Date(Number(row.decided_ms)),
      },
    ]),
  );
}

async function insertPayments(
  transaction: Transaction,
  payments: readonly DecidedPayment[],
): Promise<void> {
  if (payments.length === 0) return;
  const inserted = await transaction.query(
    `INSERT INTO payments (order_id, user_id, amount_minor, currency, outcome, decline_reason,
                           receive_time, decide_time)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::smallint[],
                          $6::smallint[], $7::timestamptz[], $8::timestamptz[])
       AS payment (order_id, user_id, amount_minor, currency, outcome, decline_reason,
                   receive_time, decide_time)
     ORDER BY order_id
     ON CONFLICT DO NOTHING RETURNING 1`,
    [
      payments.map((payment) => payment.orderId),
      payments.map((payment) => payment.userId),
      payments.map((payment) => payment.amountMinor),
      payments.map((payment) => payment.currency),
      payments.map((payment) => payment.outcome),
      payments.map((payment) => payment.declineReason),
      payments.map((payment) => payment.receiveTime),
      payments.map((payment) => payment.decideTime),
    ],
  );
  // Without an account there is no lock to wait for: another message about the same order may have
  // been decided since we looked. Then the decisions here stand on sand and are made again.
  if (inserted.length < payments.length) {
    throw transactionConflict("an order of this batch was decided by another transaction");
  }
}

function amountOf({ amount }: OrderCreatedEvent): { amountMinor: bigint; currency: string } {
  assert(amount, "an OrderCreatedEvent has an amount, or it would not have passed its rules");
  return { amountMinor: amount.minorUnits, currency: amount.currency };
}

function resultEvent(payment: DecidedPayment, id: string, nowMs: number) {
  const event = create(PaymentResultEventSchema, {
    orderId: payment.orderId,
    userId: payment.userId,
    outcome: payment.outcome,
    declineReason: payment.declineReason,
    amount: { minorUnits: payment.amountMinor, currency: payment.currency },
    decideTime: timestampFromDate(payment.decideTime),
  });
  return outboxEvent(PaymentResultEventSchema, event, { id, createTimeMs: nowMs });
}
