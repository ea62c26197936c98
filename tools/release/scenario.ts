import type { JsonObject } from "@bufbuild/protobuf";

/** How a call is made: as REST, or as Connect in binary, whose messages gRPC has too. */
export type Way = "rest" | "binary";

/** A call of a scenario. */
export type Step = {
  readonly way: Way;
  readonly user: string;
  /** With the rights of an operator. */
  readonly admin?: boolean;
  /** `<service>/<method>` */
  readonly method: string;
  /** The same by REST; the request says what is in the path. */
  readonly rest: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In proto JSON; `$name` is the id kept as that. */
  readonly request: JsonObject;
  /** What the id of the answer is kept as. */
  readonly keepAs?: string;
  /** Asked again until the answer is in this status, for some seconds. */
  readonly until?: string;
};

const orders = "orders.v1.OrdersService";
const payments = "payments.v1.PaymentsService";
const orderPath = "/gateway/orders/{userId}/{orderId}";
const accountPath = "/gateway/payments/accounts/{userId}";
const missing = "01890a5d-ac96-774b-bcce-b302099a8057";
const maxMinor = "1000000000000";

/**
 * Returns what a release is recorded with: typical, least and largest orders to each of their ends,
 * and refusals. Calls of methods that a release does not have are left out. Needs users who have not
 * done anything before.
 */
export function scenario(way: Way): readonly Step[] {
  const typical = `typical-${way}`;
  const least = way[0] ?? "";
  const largest = least.repeat(128);
  const nobody = `nobody-${way}`;
  const call = (user: string, method: string, rest: string, request: JsonObject, more = {}) => ({
    way,
    user,
    method,
    rest,
    request: { userId: user, ...request },
    ...more,
  });
  const create = (user: string, currency?: string) =>
    call(user, `${payments}/CreateAccount`, "POST /gateway/payments/accounts", {
      ...(currency && { currency }),
    });
  const deposit = (user: string, minorUnits: string, currency: string, more = {}) =>
    call(
      user,
      `${payments}/Deposit`,
      `POST ${accountPath}:deposit`,
      { amount: { minorUnits, currency } },
      more,
    );
  const order = (
    user: string,
    minorUnits: string,
    currency: string,
    description: string,
    keepAs: string,
  ) =>
    call(
      user,
      `${orders}/CreateOrder`,
      "POST /gateway/orders",
      { amount: { minorUnits, currency }, description },
      { keepAs },
    );
  const see = (user: string, orderId: string, until: string) =>
    call(
      user,
      `${orders}/GetOrder`,
      `GET ${orderPath}`,
      { orderId },
      { until: `ORDER_STATUS_${until}` },
    );
  const key = { headers: { "idempotency-key": `recorded-${way}` } };
  return [
    create(typical, "EUR"),
    create(typical, "EUR"),
    deposit(typical, "1000", "EUR", key),
    deposit(typical, "1000", "EUR", key),
    deposit(typical, "1001", "EUR", key),
    deposit(typical, "1", "JPY"),
    order(typical, "250", "EUR", "two tickets", "paid"),
    see(typical, "$paid", "PAID"),
    order(typical, "5000", "EUR", "a boat", "tooMuch"),
    see(typical, "$tooMuch", "PAYMENT_DECLINED"),
    order(typical, "1", "JPY", "sushi", "foreign"),
    see(typical, "$foreign", "PAYMENT_DECLINED"),
    order(nobody, "1", "EUR", "", "orphan"),
    see(nobody, "$orphan", "PAYMENT_DECLINED"),
    create(least),
    deposit(least, "1", "USD"),
    order(least, "1", "USD", "", "least"),
    see(least, "$least", "PAID"),
    create(largest, "EUR"),
    deposit(largest, maxMinor, "EUR"),
    order(largest, maxMinor, "EUR", "x".repeat(1_000), "largest"),
    see(largest, "$largest", "PAID"),
    call(typical, `${orders}/ListOrders`, "GET /gateway/orders/{userId}", { pageSize: 2 }),
    call(typical, `${orders}/ListOrders`, "GET /gateway/orders/{userId}", { pageToken: "x" }),
    call(typical, `${payments}/GetAccount`, `GET ${accountPath}`, {}),
    call(nobody, `${payments}/GetAccount`, `GET ${accountPath}`, {}),
    call(typical, `${payments}/ListLedgerEntries`, `GET ${accountPath}/entries`, { pageSize: 1 }),
    call(typical, `${payments}/GetPayment`, `GET ${accountPath}/payments/{orderId}`, {
      orderId: "$paid",
    }),
    call(typical, `${payments}/GetPayment`, `GET ${accountPath}/payments/{orderId}`, {
      orderId: missing,
    }),
    call(typical, `${orders}/GetOrder`, `GET ${orderPath}`, { orderId: missing }),
    call(typical, `${orders}/CreateOrder`, "POST /gateway/orders", {}),
    call(typical, `${orders}/CancelOrder`, `POST ${orderPath}:cancel`, { orderId: "$paid" }),
    call(
      typical,
      `${payments}/RefundPayment`,
      `POST ${accountPath}/payments/{orderId}:refund`,
      { orderId: "$paid" },
      { admin: true },
    ),
    see(typical, "$paid", "REFUNDED"),
  ];
}

/** The step of a refund is for releases that have it; so is what follows from it. */
export function isServed(step: Step, methods: ReadonlySet<string>): boolean {
  const needs = step.until === "ORDER_STATUS_REFUNDED" ? `${payments}/RefundPayment` : step.method;
  return methods.has(needs);
}

/** Returns how many events come of the steps, once all is done that they ask for. */
export function countEvents(steps: readonly Step[]): number {
  // Of an order, that it was created and what became of its payment; of a refund, itself.
  const made = steps.filter(({ keepAs }) => keepAs !== undefined).length;
  const refunds = steps.filter(({ method }) => method === `${payments}/RefundPayment`).length;
  return 2 * made + refunds;
}
