import fc from "fast-check";
import type { ServiceName } from "../system/system.ts";

/**
 * Returns the `nth` item, modulo the length, from the end if negative; undefined if there is none.
 */
export function chosen<T>(among: readonly T[], nth: number): T | undefined {
  return among.at(nth % among.length);
}

/**
 * A waiting event, an event that was delivered before, or a waiting event about the order whose
 * event was created or chosen last.
 */
export type Choice = {
  readonly nth: number;
  readonly among: "waiting" | "delivered" | "same order";
};

/**
 * A step of one service. Its numbers select from what exists at that time (see {@link chosen}); if
 * there is nothing, the step has no effect.
 */
export type Step =
  | {
      readonly does: "create";
      readonly user: number;
      readonly amountMinor: bigint;
      readonly currency: string;
      readonly expires: boolean;
    }
  | { readonly does: "cancel"; readonly order: number }
  | { readonly does: "expire" | "announce again" }
  | { readonly does: "open account"; readonly user: number }
  | { readonly does: "deposit"; readonly user: number; readonly amountMinor: bigint }
  | { readonly does: "refund"; readonly order: number; readonly amountMinor: bigint | "all" }
  /** An earlier call is repeated with its key. */
  | { readonly does: "repeat"; readonly call: number }
  /** Events are delivered at once; redelivered ones one by one. */
  | {
      readonly does: "deliver";
      readonly to: ServiceName;
      readonly events: readonly Choice[];
      readonly redelivered: boolean;
    };

export type Turn =
  | Step
  /** An order is removed from its database, so that events come too early; or it is restored. */
  | { readonly does: "mislay"; readonly order: number }
  /** A waiting event is lost with the broker's disk. */
  | { readonly does: "lose"; readonly to: ServiceName; readonly event: number }
  /** Steps on one replica, which can share a batch. */
  | { readonly does: "together"; readonly on: ServiceName; readonly steps: readonly Step[] }
  /**
   * Steps on two replicas: the transaction of the first is held after a number of statements, or
   * else before its commit, while the others run one after another.
   */
  | {
      readonly does: "overlap";
      readonly on: ServiceName;
      readonly first: Step;
      readonly heldAfter: number;
      readonly others: readonly Step[];
    };

const nth = fc.nat({ max: 30 });
// Mostly the first user, who has the most money and orders.
const user = fc.constantFrom(0, 0, 0, 1, 2, 3, 3);
const amountMinor = fc.bigInt(1n, 60n);
const heldAfter = fc.integer({ min: 1, max: 8 });

const create = fc.record({
  does: fc.constant("create" as const),
  user,
  amountMinor,
  currency: fc.oneof({ weight: 5, arbitrary: fc.constant("EUR") }, fc.constant("USD")),
  expires: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
});
const cancel = fc.record({ does: fc.constant("cancel" as const), order: nth });
const refund = fc.record({
  does: fc.constant("refund" as const),
  order: nth,
  amountMinor: fc.oneof(fc.bigInt(1n, 20n), fc.constant("all" as const)),
});
const deposit = fc.record({ does: fc.constant("deposit" as const), user, amountMinor });
const openAccount = fc.record({ does: fc.constant("open account" as const), user });
const repeat = fc.record({ does: fc.constant("repeat" as const), call: nth });
const expire = fc.record({ does: fc.constant("expire" as const) });
const announce = fc.record({ does: fc.constant("announce again" as const) });
const mislay = fc.record({ does: fc.constant("mislay" as const), order: nth });
const lose = fc.record({
  does: fc.constant("lose" as const),
  to: fc.constantFrom<ServiceName>("orders", "payments"),
  event: nth,
});
const deliver = (to: ServiceName) =>
  fc.record({
    does: fc.constant("deliver" as const),
    to: fc.constant(to),
    events: fc.array(
      fc.record({
        nth,
        among: fc.constantFrom(
          ...(["waiting", "waiting", "same order", "same order", "delivered"] as const),
        ),
      }),
      { minLength: 1, maxLength: 4, size: "max" },
    ),
    redelivered: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  });

const steps: Readonly<Record<ServiceName, fc.Arbitrary<Step>>> = {
  orders: fc.oneof(
    { weight: 6, arbitrary: create },
    { weight: 3, arbitrary: cancel },
    { weight: 6, arbitrary: deliver("orders") },
    { weight: 1, arbitrary: expire },
    { weight: 1, arbitrary: announce },
    { weight: 1, arbitrary: repeat },
  ),
  payments: fc.oneof(
    { weight: 8, arbitrary: deliver("payments") },
    { weight: 5, arbitrary: refund },
    { weight: 1, arbitrary: deposit },
    { weight: 1, arbitrary: openAccount },
    { weight: 1, arbitrary: repeat },
  ),
};
const together = (on: ServiceName) =>
  fc.record({
    does: fc.constant("together" as const),
    on: fc.constant(on),
    steps: fc.array(steps[on], { minLength: 2, maxLength: 3 }),
  });
const overlap = (on: ServiceName) =>
  fc.record({
    does: fc.constant("overlap" as const),
    on: fc.constant(on),
    first: steps[on],
    heldAfter,
    others: fc.array(steps[on], { minLength: 1, maxLength: 3 }),
  });

/** Payments receives the first event of the last order. */
const hear = {
  does: "deliver",
  to: "payments",
  events: [{ nth: 0, among: "same order" }],
  redelivered: false,
} as const;
/** An order is cancelled at once, and payments handles both events in two transactions. */
const race = fc
  .record({ user, amountMinor, heldAfter })
  .map(({ user, amountMinor, heldAfter }): readonly Turn[] => [
    { does: "create", user, amountMinor, currency: "EUR", expires: false },
    { does: "cancel", order: -1 },
    { does: "overlap", on: "payments", first: hear, heldAfter, others: [hear] },
  ]);
/** A partly refunded order is refunded further while payments handles its cancellation. */
const refundRace = fc
  .record({ amountMinor: fc.bigInt(3n, 20n), heldAfter, isRefundFirst: fc.boolean() })
  .map(({ amountMinor, heldAfter, isRefundFirst }): readonly Turn[] => {
    const refund = { does: "refund", order: -1, amountMinor: 1n } as const;
    const [first, other] = isRefundFirst ? [refund, hear] : [hear, refund];
    return [
      { does: "create", user: 0, amountMinor, currency: "EUR", expires: false },
      hear,
      refund,
      { does: "cancel", order: -1 },
      { does: "overlap", on: "payments", first, heldAfter, others: [other] },
    ];
  });

const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 6, arbitrary: steps.orders },
  { weight: 6, arbitrary: steps.payments },
  { weight: 1, arbitrary: together("orders") },
  { weight: 1, arbitrary: together("payments") },
  { weight: 2, arbitrary: overlap("orders") },
  { weight: 2, arbitrary: overlap("payments") },
  { weight: 1, arbitrary: mislay },
  { weight: 1, arbitrary: lose },
);

/** The turns of a rehearsal. */
export const turns: fc.Arbitrary<readonly Turn[]> = fc
  .array(
    fc.oneof(
      { weight: 18, arbitrary: turn.map((one) => [one]) },
      { weight: 1, arbitrary: race },
      { weight: 1, arbitrary: refundRace },
    ),
    { minLength: 1, maxLength: 50, size: "max" },
  )
  .map((parts) => parts.flat());
