import type { DescEnum } from "@bufbuild/protobuf";
import { OrderStatus, OrderStatusSchema } from "@settle/gen/orders/v1/order_pb";
import { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import {
  DeclineReason,
  DeclineReasonSchema,
  PaymentOutcome,
  PaymentOutcomeSchema,
} from "@settle/gen/payments/v1/payment_pb";
import {
  isOfUser,
  type StoredEntry,
  type StoredOrder,
  type StoredPayment,
  type Truth,
} from "./truth.ts";

const { PAID, PAYMENT_DECLINED, CANCELLED, REFUNDED } = OrderStatus;
/** The outcomes of payments that are allowed for each final status of an order. */
const outcomesOf: ReadonlyMap<OrderStatus, readonly PaymentOutcome[]> = new Map([
  [PAID, [PaymentOutcome.PAID]],
  [REFUNDED, [PaymentOutcome.PAID]],
  [PAYMENT_DECLINED, [PaymentOutcome.DECLINED]],
  // Orders can cancel whatever payments has decided by then.
  [CANCELLED, [PaymentOutcome.CANCELLED, PaymentOutcome.PAID, PaymentOutcome.DECLINED]],
]);

/** Yields the disagreements between orders, their payments and the ledger, with ids. */
export function* settlementViolations({ orders, payments, entries }: Truth) {
  const paymentsOf = Map.groupBy(payments, (payment) => payment.orderId);
  const entriesOf = Map.groupBy(entries.filter(isOfUser), (entry) => entry.orderId);
  for (const order of orders) {
    const found = paymentsOf.get(order.id) ?? [];
    const [payment] = found;
    if (found.length !== 1 || !payment) {
      yield `${nameOf(order)}: has ${found.length} payments`;
    } else {
      yield* disagreements(order, payment);
      yield* bookingViolations(order, payment, entriesOf.get(order.id) ?? []);
    }
  }
  const known = new Set<string | null>([null, ...orders.map((order) => order.id)]);
  for (const orderId of [...paymentsOf.keys(), ...entriesOf.keys()]) {
    if (!known.has(orderId)) yield `order ${orderId}: is paid or declined but not stored`;
  }
  for (const [userId, own] of Map.groupBy(orders, (order) => order.userId)) {
    if (new Set(own.map((order) => order.revision)).size !== own.length) {
      yield `user ${userId}: two orders have one revision`;
    }
  }
}

function* disagreements(order: StoredOrder, payment: StoredPayment) {
  const name = nameOf(order);
  const status = word(OrderStatusSchema, order.status);
  const outcomes = outcomesOf.get(order.status);
  if (!outcomes) yield `${name}: its status is ${status}`;
  if (order.settleTime === null) yield `${name}: has no settle time`;
  if (outcomes && !outcomes.includes(payment.outcome)) {
    yield `${name}: ${status}, its payment ${word(PaymentOutcomeSchema, payment.outcome)}`;
  }
  if (order.status !== CANCELLED && payment.declineReason !== order.declineReason) {
    yield `${name}: declined for ${word(DeclineReasonSchema, order.declineReason)}, its payment for ${word(DeclineReasonSchema, payment.declineReason)}`;
  }
  const isDeclined = order.status === PAYMENT_DECLINED;
  if (isDeclined !== (order.declineReason !== DeclineReason.UNSPECIFIED)) {
    yield `${name}: ${status} for ${word(DeclineReasonSchema, order.declineReason)}`;
  }
  const asked = (row: StoredOrder | StoredPayment) =>
    `${row.userId} ${row.amountMinor} ${row.currency}`;
  if (asked(order) !== asked(payment)) {
    yield `${name}: asks for ${asked(order)}, its payment for ${asked(payment)}`;
  }
  if (order.refundedMinor !== payment.refundedMinor) {
    yield `${name}: shows ${order.refundedMinor} as refunded, its payment ${payment.refundedMinor}`;
  }
  const isBack = order.refundedMinor === order.amountMinor;
  if (order.status === PAID ? isBack : order.status === REFUNDED && !isBack) {
    yield `${name}: ${status} with ${order.refundedMinor} of ${order.amountMinor} refunded`;
  }
}

function* bookingViolations(
  order: StoredOrder,
  payment: StoredPayment,
  entries: readonly StoredEntry[],
) {
  const name = nameOf(order);
  const isPaid =
    order.status === PAID || order.status === REFUNDED || payment.outcome === PaymentOutcome.PAID;
  const expected = isPaid ? [`${order.userId} ${-order.amountMinor} ${order.currency}`] : [];
  const debits = entries.filter(({ kind }) => kind === LedgerEntryKind.PAYMENT);
  const found = debits.map((entry) => `${entry.account} ${entry.amountMinor} ${entry.currency}`);
  if (found.join() !== expected.join()) {
    yield `${name}: debited [${found}], expected [${expected}]`;
  }
  const refunds = entries.filter(({ kind }) => kind === LedgerEntryKind.REFUND);
  const isForeign = refunds.some(
    (entry) => entry.account !== order.userId || entry.currency !== order.currency,
  );
  if (isForeign) yield `${name}: a refund went to another account`;
  const sum = refunds.reduce((total, entry) => total + entry.amountMinor, 0n);
  if (sum !== payment.refundedMinor) {
    yield `${name}: refunds of ${sum} are booked, its payment says ${payment.refundedMinor}`;
  }
  if (order.status === CANCELLED && isPaid && sum !== order.amountMinor) {
    yield `${name}: cancelled, and ${order.amountMinor - sum} of it is kept`;
  }
}

/** Names an order in violations. */
export function nameOf({ id, description }: StoredOrder): string {
  return `order ${id} (${description})`;
}

function word(schema: DescEnum, value: number): string {
  return schema.value[value]?.name ?? String(value);
}
