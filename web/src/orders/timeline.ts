import { type Order, type Payment, PaymentOutcome } from "@settle/sdk";
import { type Instant, instantMs } from "../time/instant.ts";
import { statusOf } from "./status.ts";

/** What has happened to an order. */
export type HappenedKind =
  | "created"
  | "received"
  | "debited"
  | "declined"
  | "withdrawn"
  | "settled"
  | "closed"
  | "cancelled"
  | "expired"
  | "refunded-part"
  | "refunded";

/** What is still to come. */
export type UpcomingKind = "received" | "decided" | "settled" | "refunded";

/** A step on the way of an order. */
export type Step =
  | {
      readonly state: "happened";
      readonly kind: HappenedKind;
      readonly atMs: number;
      /** How long after the step before; absent for the first, and where two clocks disagree. */
      readonly sinceMs?: number;
    }
  | { readonly state: "current" | "upcoming"; readonly kind: UpcomingKind };

/**
 * The way of an order, from what orders and payments each know of it; `payment` is undefined while
 * payments have not heard of it, or that is not known yet. Steps are in the order in which they cause
 * each other, and by time where a cancellation and a payment have crossed.
 */
export function timelineOf(order: Order, payment: Payment | undefined): readonly Step[] {
  const status = statusOf(order);
  const happened = [...orderSteps(order), ...(payment ? paymentSteps(order, payment) : [])];
  const rank = (kind: HappenedKind) => ranks.indexOf(kind);
  happened.sort((a, b) =>
    status === "cancelled"
      ? a.atMs - b.atMs || rank(a.kind) - rank(b.kind)
      : rank(a.kind) - rank(b.kind),
  );
  const steps = happened.map(({ kind, atMs }, place): Step => {
    const sinceMs = atMs - (happened[place - 1]?.atMs ?? Number.POSITIVE_INFINITY);
    return { state: "happened", kind, atMs, ...(sinceMs >= 0 && { sinceMs }) };
  });
  return [...steps, ...toCome(order, payment)];
}

type Happened = { readonly kind: HappenedKind; readonly atMs: number };

const ranks: readonly HappenedKind[] = [
  "created",
  "received",
  "debited",
  "declined",
  "settled",
  "closed",
  "cancelled",
  "expired",
  "withdrawn",
  "refunded-part",
  "refunded",
];

function step(kind: HappenedKind, at: Instant | undefined): readonly Happened[] {
  return at ? [{ kind, atMs: instantMs(at) }] : [];
}

function orderSteps(order: Order): readonly Happened[] {
  const { createTime, settleTime, expireTime } = order;
  const status = statusOf(order);
  const expired =
    settleTime !== undefined &&
    expireTime !== undefined &&
    instantMs(settleTime) >= instantMs(expireTime);
  const end = {
    pending: undefined,
    unknown: undefined,
    paid: "settled",
    refunded: "settled",
    declined: "closed",
    cancelled: expired ? "expired" : "cancelled",
  } as const;
  const kind = end[status];
  return [...step("created", createTime), ...(kind ? step(kind, settleTime) : [])];
}

/** How payments decide. An outcome that is newer than this page is not told at all. */
const decisions = new Map<PaymentOutcome, HappenedKind>([
  [PaymentOutcome.PAID, "debited"],
  [PaymentOutcome.DECLINED, "declined"],
]);

function paymentSteps(order: Order, payment: Payment): readonly Happened[] {
  const { outcome, receiveTime, decideTime, refundTime, refundedAmount, amount } = payment;
  if (outcome === PaymentOutcome.CANCELLED) return step("withdrawn", decideTime);
  const decided = decisions.get(outcome);
  const back = refundedAmount?.minorUnits ?? 0n;
  const all = (amount ?? order.amount)?.minorUnits ?? back;
  const isAll = back > 0n && back >= all;
  return [
    ...step("received", receiveTime),
    ...(decided ? step(decided, decideTime) : []),
    ...step(isAll ? "refunded" : "refunded-part", back > 0n ? refundTime : undefined),
  ];
}

function toCome(order: Order, payment: Payment | undefined): readonly Step[] {
  const status = statusOf(order);
  if (status === "pending") {
    if (payment) return [{ state: "current", kind: "settled" }];
    return [
      { state: "current", kind: "received" },
      { state: "upcoming", kind: "decided" },
      { state: "upcoming", kind: "settled" },
    ];
  }
  const isOwed =
    status === "cancelled" &&
    payment?.outcome === PaymentOutcome.PAID &&
    (payment.refundedAmount?.minorUnits ?? 0n) === 0n;
  return isOwed ? [{ state: "current", kind: "refunded" }] : [];
}
