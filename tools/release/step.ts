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
  /** In proto JSON; `$name` is the id kept as that by the same way, `$name.revision` its revision. */
  readonly request: JsonObject;
  /** What the id and the revision of the answer are kept as. */
  readonly keepAs?: string;
  /** Asked again until the answer is in this status, for some seconds. */
  readonly until?: string;
  /** Asked again until the answer shows so many minor units as refunded, for some seconds. */
  readonly untilRefunded?: string;
  /** Played while payments is stopped, so that orders wait for their payment. */
  readonly paymentsHeld?: boolean;
};

/** What a step may say besides its call. */
export type More = Partial<Omit<Step, "way" | "user" | "method" | "rest">>;

const orders = "orders.v1.OrdersService";
const payments = "payments.v1.PaymentsService";
const ordersPath = "/gateway/orders/{userId}";
const orderPath = `${ordersPath}/{orderId}`;
const accountPath = "/gateway/payments/accounts/{userId}";
const paymentPath = `${accountPath}/payments/{orderId}`;

/** Returns one function per method of the contract; each makes a step that calls it in this way. */
export function stepsBy(way: Way) {
  const call = (method: string, rest: string) => {
    return (user: string, request: JsonObject = {}, more: More = {}): Step => {
      return { way, user, method, rest, request: { userId: user, ...request }, ...more };
    };
  };
  return {
    createOrder: call(`${orders}/CreateOrder`, "POST /gateway/orders"),
    getOrder: call(`${orders}/GetOrder`, `GET ${orderPath}`),
    listOrders: call(`${orders}/ListOrders`, `GET ${ordersPath}`),
    cancelOrder: call(`${orders}/CancelOrder`, `POST ${orderPath}:cancel`),
    watchOrders: call(`${orders}/WatchOrders`, `GET ${ordersPath}:watch`),
    createAccount: call(`${payments}/CreateAccount`, "POST /gateway/payments/accounts"),
    getAccount: call(`${payments}/GetAccount`, `GET ${accountPath}`),
    deposit: call(`${payments}/Deposit`, `POST ${accountPath}:deposit`),
    listLedgerEntries: call(`${payments}/ListLedgerEntries`, `GET ${accountPath}/entries`),
    getPayment: call(`${payments}/GetPayment`, `GET ${paymentPath}`),
    refundPayment: call(`${payments}/RefundPayment`, `POST ${paymentPath}:refund`),
  };
}
