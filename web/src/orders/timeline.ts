import { type Order, type Payment, PaymentOutcome } from "@settle/sdk";
import { type Instant, instantMs } from "../time/instant.ts";
import { statusOf } from "./status.ts";

/** A past step of an order. */
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

/** A future step of an order. */
export type UpcomingKind = "received" | "decided" | "settled" | "refunded";

/** A step in the timeline of an order. */
export type Step =
  | {
      readonly state: "happened";
      readonly kind: HappenedKind;
      readonly atMs: number;
      /** The time since the previous step; absent for the first, and if two clocks disagree. */
      readonly sinceMs?: number;
    }
  | { readonly state: "current" | "upcoming"; readonly kind: UpcomingKind };

/**
 * Returns the timeline of an order, from the data of orders and payments; `payment` is undefined
 * while payments has none or it is not loaded yet. Steps are in causal order, and by time if a
 * cancellation and a payment have crossed.
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

/** The decisions of payments. An outcome that is newer than this page is not shown. */
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
