import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import {
  type DeclineReason,
  type Payment,
  type PaymentOutcome,
  PaymentSchema,
} from "@settle/gen/payments/v1/payment_pb";

/**
 * The payment of one order. Its row, unique for ever, is the arbiter: the transaction that inserts
 * it decides the outcome, PAID, DECLINED or, if the cancellation came first, CANCELLED. The outcome
 * never changes. For a PAID payment `refundedMinor` grows, under the row's lock, up to the amount;
 * for the others nothing was taken, so it stays 0.
 */
export const PaymentEntity = defineEntity({
  name: "PaymentEntity",
  tableName: "payments",
  properties: {
    orderId: p.uuid().primary(),
    userId: p.text(),
    amountMinor: p.bigint(),
    currency: p.text(),
    outcome: p.smallint().$type<PaymentOutcome>(),
    declineReason: p.smallint().$type<DeclineReason>(),
    refundedMinor: p.bigint(),
    receiveTime: p.datetime(),
    decideTime: p.datetime(),
    refundTime: p.datetime().nullable(),
  },
});

export type PaymentEntity = InferEntity<typeof PaymentEntity>;

/** Converts a stored payment to the message of the contract. */
export function paymentMessage(payment: PaymentEntity): Payment {
  return create(PaymentSchema, {
    orderId: payment.orderId,
    userId: payment.userId,
    amount: { minorUnits: payment.amountMinor, currency: payment.currency },
    outcome: payment.outcome,
    declineReason: payment.declineReason,
    receiveTime: timestampFromDate(payment.receiveTime),
    decideTime: timestampFromDate(payment.decideTime),
    refundedAmount: { minorUnits: payment.refundedMinor, currency: payment.currency },
    ...(payment.refundTime && { refundTime: timestampFromDate(payment.refundTime) }),
  });
}
