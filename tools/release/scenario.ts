import type { JsonObject } from "@bufbuild/protobuf";
import { type More, type Step, stepsBy, type Way } from "./step.ts";

const ways: readonly Way[] = ["rest", "binary"];
const missing = "01890a5d-ac96-774b-bcce-b302099a8057";
const maxMinor = "1000000000000";
/** The shortest expiry that the contract allows. */
const shortestExpiry = "1s";
/** The longest wait of `Prefer: wait`: the order must be final by then. */
const longestWaitS = 10;

/**
 * Returns the steps that a release is recorded with: typical, minimal and maximal orders with each
 * outcome, refunds, watches, and refusals. Needs users without any earlier calls.
 */
export function scenario(): readonly Step[] {
  const parts = ways.map(partsBy);
  return [
    ...parts.flatMap(({ paid }) => paid),
    ...parts.flatMap(({ refunded }) => refunded),
    ...parts.flatMap(({ watched }) => watched),
    // Both ways share the time in which payments is stopped.
    ...parts.flatMap(({ undecided }) => undecided),
    ...parts.flatMap(({ expired }) => expired),
    ...parts.flatMap(({ decidedLate }) => decidedLate),
  ];
}

function partsBy(way: Way) {
  const typical = `typical-${way}`;
  const least = way[0] ?? "";
  const largest = least.repeat(128);
  const nobody = `nobody-${way}`;
  const waiting = `waiting-${way}`;
  const steps = stepsBy(way);
  const money = (minorUnits: string, currency = "EUR") => ({ amount: { minorUnits, currency } });
  const order = (user: string, request: JsonObject, keepAs: string, more: More = {}) =>
    steps.createOrder(user, request, { keepAs, ...more });
  const see = (user: string, keptAs: string, more: More) =>
    steps.getOrder(user, { orderId: `$${keptAs}` }, more);
  const is = (status: string) => ({ until: `ORDER_STATUS_${status}` });
  const refund = (keptAs: string, request: JsonObject = {}) =>
    steps.refundPayment(typical, { orderId: `$${keptAs}`, ...request }, { admin: true });
  const key = { headers: { "idempotency-key": `recorded-${way}` } };
  const wait = (seconds: number) => ({ headers: { prefer: `wait=${seconds}` } });
  const held = { paymentsHeld: true };

  const paid: readonly Step[] = [
    steps.createAccount(typical, { currency: "EUR" }),
    steps.createAccount(typical, { currency: "EUR" }),
    steps.deposit(typical, money("1000"), key),
    steps.deposit(typical, money("1000"), key),
    steps.deposit(typical, money("1001"), key),
    steps.deposit(typical, money("1", "JPY")),
    order(typical, { ...money("250"), description: "two tickets" }, "paid"),
    see(typical, "paid", is("PAID")),
    order(typical, { ...money("5000"), description: "a boat" }, "tooMuch"),
    see(typical, "tooMuch", is("PAYMENT_DECLINED")),
    order(typical, { ...money("1", "JPY"), description: "sushi" }, "foreign"),
    see(typical, "foreign", is("PAYMENT_DECLINED")),
    order(typical, { ...money("300"), description: "a dinner" }, "awaited", wait(longestWaitS)),
    order(nobody, { ...money("1"), description: "" }, "orphan"),
    see(nobody, "orphan", is("PAYMENT_DECLINED")),
    steps.createAccount(least),
    steps.deposit(least, money("1", "USD")),
    order(least, { ...money("1", "USD"), description: "" }, "least"),
    see(least, "least", is("PAID")),
    steps.createAccount(largest, { currency: "EUR" }),
    steps.deposit(largest, money(maxMinor)),
    order(largest, { ...money(maxMinor), description: "x".repeat(1_000) }, "largest"),
    see(largest, "largest", is("PAID")),
    steps.createAccount(waiting, { currency: "EUR" }),
    steps.deposit(waiting, money("500")),
    steps.listOrders(typical, { pageSize: 2 }),
    steps.listOrders(typical, { status: "ORDER_STATUS_PAYMENT_DECLINED" }),
    steps.listOrders(typical, { pageToken: "x" }),
    steps.getAccount(typical),
    steps.getAccount(nobody),
    steps.listLedgerEntries(typical, { pageSize: 1 }),
    steps.getPayment(typical, { orderId: "$paid" }),
    steps.getPayment(typical, { orderId: missing }),
    steps.getOrder(typical, { orderId: missing }),
    steps.createOrder(typical),
    steps.cancelOrder(typical, { orderId: "$paid" }),
  ];
  const refunded: readonly Step[] = [
    refund("awaited", money("100")),
    refund("awaited", money("150")),
    refund("awaited", money("51")),
    refund("awaited", money("1", "JPY")),
    see(typical, "awaited", { untilRefunded: "250", keepAs: "awaited" }),
    steps.getPayment(typical, { orderId: "$awaited" }),
    refund("tooMuch"),
    refund("paid"),
    see(typical, "paid", is("REFUNDED")),
  ];
  const watched: readonly Step[] = [
    steps.watchOrders(typical),
    steps.watchOrders(typical, { afterRevision: "$awaited.revision" }),
    steps.watchOrders(nobody, { afterRevision: "-1" }),
  ];
  const undecided: readonly Step[] = [
    order(waiting, { ...money("900"), expireAfter: shortestExpiry }, "expired", held),
    order(waiting, money("200"), "cancelled", held),
    steps.cancelOrder(waiting, { orderId: "$cancelled" }, held),
    steps.cancelOrder(waiting, { orderId: "$cancelled" }, held),
  ];
  const expired: readonly Step[] = [
    order(typical, money("50"), "late", { ...held, ...wait(1) }),
    see(waiting, "expired", { ...held, ...is("CANCELLED") }),
  ];
  const decidedLate: readonly Step[] = [
    see(typical, "late", is("PAID")),
    see(waiting, "cancelled", { untilRefunded: "200" }),
    steps.getPayment(waiting, { orderId: "$cancelled" }),
    steps.getAccount(waiting),
    steps.listLedgerEntries(waiting),
    steps.watchOrders(waiting),
  ];
  return { paid, refunded, watched, undecided, expired, decidedLate };
}
