import type { JsonObject } from "@bufbuild/protobuf";

/** How a call is made: over REST, or over Connect in binary, with the same messages as gRPC. */
export type Way = "rest" | "binary";

/** A call of a scenario. */
export type Step = {
  readonly way: Way;
  readonly user: string;
  /** Called with the scope of an administrator. */
  readonly admin?: boolean;
  /** `<service>/<method>` */
  readonly method: string;
  /** The REST route; the path parameters come from the request. */
  readonly rest: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In proto JSON; `$name` is the id stored by `keepAs`, `$name.revision` its revision. */
  readonly request: JsonObject;
  /** The name under which the id and the revision of the response are stored. */
  readonly keepAs?: string;
  /** Repeated until the response has this status, for some seconds. */
  readonly until?: string;
  /** Repeated until the response has this refunded amount, in minor units, for some seconds. */
  readonly untilRefunded?: string;
  /** Made while payments is stopped, so that orders wait for their payment. */
  readonly paymentsHeld?: boolean;
};

/** The options of a step. */
export type More = Partial<Omit<Step, "way" | "user" | "method" | "rest">>;

const orders = "orders.v1.OrdersService";
const payments = "payments.v1.PaymentsService";
const ordersPath = "/gateway/orders/{userId}";
const orderPath = `${ordersPath}/{orderId}`;
const accountPath = "/gateway/payments/accounts/{userId}";
const paymentPath = `${accountPath}/payments/{orderId}`;

/** Returns a function per method of the contract that creates a step to call it in this way. */
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
