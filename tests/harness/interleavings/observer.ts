import {
  PaymentRefundedEventSchema,
  PaymentResultEventSchema,
} from "@settle/gen/events/v1/events_pb";
import type { Money } from "@settle/gen/money/v1/money_pb";
import { OrderStatus, OrderStatusSchema } from "@settle/gen/orders/v1/order_pb";
import { PaymentOutcome, PaymentOutcomeSchema } from "@settle/gen/payments/v1/payment_pb";
import type { Pool } from "pg";
import type { History } from "../checker/history.ts";
import type {
  StoredAccount,
  StoredEntry,
  StoredOrder,
  StoredPayment,
  Truth,
} from "../checker/truth.ts";
import { type Event, readEvent } from "../system/queues.ts";
import type { ServiceName } from "../system/system.ts";

const { PENDING_PAYMENT, PAID, PAYMENT_DECLINED, CANCELLED, REFUNDED } = OrderStatus;
const legalMoves = new Set(
  [
    [PENDING_PAYMENT, PAID],
    [PENDING_PAYMENT, PAYMENT_DECLINED],
    [PENDING_PAYMENT, CANCELLED],
    [PAID, REFUNDED],
    // Both in one transaction.
    [PENDING_PAYMENT, REFUNDED],
  ].map(String),
);

/** Repeatedly reads the stored data of some users, and reports violations. */
export type Observer = {
  /** The data as last read. */
  readonly stored: Pick<Truth, "orders" | "payments" | "accounts" | "entries">;
  /**
   * Reads a service's database and returns the violations in it, or compared with the last data,
   * with ids. It checks that:
   * - no order or payment disappears; orders change their status legally, refunds only grow, and
   *   nothing else changes;
   * - every change gets a revision above all that the user's watchers have seen;
   * - each balance is not negative, is the sum of its entries, and equals the deposits minus the
   *   payments that were not refunded.
   */
  look(service: ServiceName): Promise<readonly string[]>;
  /** Returns where these events disagree with the payments as last read, with ids. */
  compare(events: readonly Event[]): readonly string[];
  /**
   * Whether the content of an event is published again if the event is lost: true for all events
   * except refunds of an order that is not cancelled.
   */
  isToldAgain(event: Event): boolean;
};

/**
 * Creates an observer of these users. `history` contains their deposits so far; `mislaid` are the
 * ids of orders that the test itself has removed from the database.
 */
export function createObserver(options: {
  readonly databases: Readonly<Record<ServiceName, Pool>>;
  readonly userIds: readonly string[];
  readonly history: History;
  readonly mislaid: { has(orderId: string): boolean };
}): Observer {
  const { databases, userIds, history, mislaid } = options;
  const rows = async <Row extends object>(service: ServiceName, sql: string) =>
    (await databases[service].query<Row>(sql, [userIds])).rows;
  let orders: readonly StoredOrder[] = [];
  let books: Books = { payments: [], accounts: [], entries: [] };

  const lookAtOrders = async () => {
    const found = await rows<StoredOrder>(
      "orders",
      `SELECT id, user_id AS "userId", amount_minor AS "amountMinor", currency, description, status,
         decline_reason AS "declineReason", refunded_minor AS "refundedMinor", revision,
         create_time AS "createTime", settle_time AS "settleTime"
       FROM orders WHERE user_id = ANY($1)`,
    );
    const before = orders;
    orders = [...found, ...before.filter(({ id }) => mislaid.has(id))];
    return [...orderViolations(before, orders), ...revisionViolations(orders)];
  };
  const lookAtBooks = async () => {
    const [payments, accounts, entries] = await Promise.all([
      rows<StoredPayment>(
        "payments",
        `SELECT order_id AS "orderId", user_id AS "userId", amount_minor AS "amountMinor", currency,
           outcome, decline_reason AS "declineReason", refunded_minor AS "refundedMinor"
         FROM payments WHERE user_id = ANY($1)`,
      ),
      rows<StoredAccount>(
        "payments",
        `SELECT user_id AS "userId", currency, balance_minor AS "balanceMinor",
           entry_count AS "entryCount" FROM accounts WHERE user_id = ANY($1)`,
      ),
      rows<StoredEntry>(
        "payments",
        `SELECT movement_id AS "movementId", account, kind, amount_minor AS "amountMinor", currency,
           sequence, balance_after_minor AS "balanceAfterMinor", order_id AS "orderId"
         FROM ledger_entries WHERE movement_id IN
           (SELECT movement_id FROM ledger_entries WHERE account = ANY($1))
         ORDER BY account, sequence, movement_id`,
      ),
    ]);
    const before = books;
    books = { payments, accounts, entries };
    return [...paymentViolations(before, books), ...bookViolations(books, history)];
  };
  return {
    get stored() {
      return { orders, ...books };
    },
    look: (service) => (service === "orders" ? lookAtOrders() : lookAtBooks()),
    compare: (events) => [...newsViolations(events, books)],
    isToldAgain(event) {
      const { $typeName, orderId } = readEvent(event);
      const order = orders.find(({ id }) => id === orderId);
      return $typeName !== PaymentRefundedEventSchema.typeName || order?.status === CANCELLED;
    },
  };
}

type Books = Pick<Truth, "payments" | "accounts" | "entries">;

function* orderViolations(before: readonly StoredOrder[], now: readonly StoredOrder[]) {
  const cursors = new Map<string, bigint>();
  for (const { userId, revision } of before) {
    if (revision > (cursors.get(userId) ?? 0n)) cursors.set(userId, revision);
  }
  const earlier = new Map(before.map((order) => [order.id, order]));
  for (const order of now) {
    const { id, userId, revision, status } = order;
    const was = earlier.get(id);
    earlier.delete(id);
    if (was?.revision === revision) {
      if (contentOf(was) !== contentOf(order)) yield `order ${id}: changed without a revision`;
      continue;
    }
    const cursor = cursors.get(userId) ?? 0n;
    if (revision <= cursor) {
      yield `order ${id}: its revision ${revision} is not above ${cursor}, which was seen`;
    }
    const from = was?.status ?? PENDING_PAYMENT;
    if (from !== status && !legalMoves.has(String([from, status]))) {
      yield `order ${id}: went from ${nameOf(from)} to ${nameOf(status)}`;
    }
    if (!was) continue;
    if (order.refundedMinor < was.refundedMinor) {
      yield `order ${id}: its refunds fell from ${was.refundedMinor} to ${order.refundedMinor}`;
    }
    if (from !== PENDING_PAYMENT && order.settleTime?.getTime() !== was.settleTime?.getTime()) {
      yield `order ${id}: was settled again`;
    }
  }
  for (const id of earlier.keys()) yield `order ${id}: is gone`;
}

function* revisionViolations(orders: readonly StoredOrder[]) {
  const byRevision = Map.groupBy(orders, ({ userId, revision }) => `${userId} ${revision}`);
  for (const [revision, found] of byRevision) {
    if (found.length > 1) yield `${revision}: is the revision of ${found.map(({ id }) => id)}`;
  }
}

function* paymentViolations(before: Books, now: Books) {
  const later = new Map(now.payments.map((payment) => [payment.orderId, payment]));
  for (const was of before.payments) {
    const payment = later.get(was.orderId);
    if (!payment) yield `payment of order ${was.orderId}: is gone`;
    else if (
      payment.outcome !== was.outcome ||
      payment.declineReason !== was.declineReason ||
      payment.refundedMinor < was.refundedMinor
    ) {
      yield `payment of order ${was.orderId}: was ${textOf(was)}, is ${textOf(payment)}`;
    }
  }
}

function* bookViolations({ payments, accounts, entries }: Books, history: History) {
  for (const { userId, balanceMinor } of accounts) {
    if (balanceMinor < 0n) yield `account ${userId}: the balance ${balanceMinor} is negative`;
    const booked = sum(entries.filter(({ account }) => account === userId));
    if (balanceMinor !== booked) {
      yield `account ${userId}: the balance is ${balanceMinor}, its entries sum to ${booked}`;
    }
    const deposited = history.deposits.filter(
      (deposit) => deposit.userId === userId && deposit.outcome === "ok",
    );
    const paid = payments.filter(
      (payment) => payment.userId === userId && payment.outcome === PaymentOutcome.PAID,
    );
    const refunded = paid.reduce((total, payment) => total + payment.refundedMinor, 0n);
    const due = sum(deposited) - sum(paid) + refunded;
    if (balanceMinor !== due) {
      yield `account ${userId}: the balance is ${balanceMinor} and should be ${due}`;
    }
  }
}

function* newsViolations(events: readonly Event[], { payments }: Books) {
  const paymentOf = new Map(payments.map((payment) => [payment.orderId, payment]));
  for (const event of events.map(readEvent)) {
    const payment = paymentOf.get(event.orderId);
    const isSo =
      event.$typeName === PaymentResultEventSchema.typeName
        ? event.outcome === payment?.outcome &&
          event.declineReason === payment.declineReason &&
          isBack(event.refundedAmount, payment)
        : event.$typeName !== PaymentRefundedEventSchema.typeName ||
          isBack(event.refundedAmount, payment);
    if (!isSo) {
      yield `payment of order ${event.orderId}: is ${payment && textOf(payment)}, not as a ${event.$typeName} tells`;
    }
  }
}

/** Later events may have reported larger refunds by now. */
function isBack(told: Money | undefined, payment: StoredPayment | undefined): boolean {
  return (told?.minorUnits ?? 0n) <= (payment?.refundedMinor ?? 0n);
}

function sum(amounts: readonly { readonly amountMinor: bigint }[]): bigint {
  return amounts.reduce((total, { amountMinor }) => total + amountMinor, 0n);
}

function contentOf({ createTime, settleTime, ...content }: StoredOrder): string {
  return Object.values(content).join();
}

function textOf(payment: StoredPayment): string {
  const { outcome, declineReason, refundedMinor } = payment;
  const word = PaymentOutcomeSchema.value[outcome]?.localName;
  return `${word} for ${declineReason} with ${refundedMinor} refunded`;
}

function nameOf(status: OrderStatus): string {
  return OrderStatusSchema.value[status]?.localName ?? String(status);
}
