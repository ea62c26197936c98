/** The journey (see ../../journey.ts) with the client of openapi-generator's typescript-fetch. */
import {
  Configuration,
  GoogleRpcStatusFromJSON,
  type MoneyV1Money,
  OrdersServiceApi,
  type OrdersServiceListOrdersRequest,
  type OrdersV1Order,
  OrdersV1WatchOrdersResponseFromJSON,
  PaymentsServiceApi,
  ResponseError,
} from "./client/index";

const { EDGE_URL: basePath = "", USER_ID: userId = "", TOKEN, ADMIN_TOKEN } = process.env;
const configure = (accessToken?: string) =>
  new Configuration({ basePath, ...(accessToken && { accessToken }) });
const orders = new OrdersServiceApi(configure(TOKEN));
const payments = new PaymentsServiceApi(configure(TOKEN));
const admin = new PaymentsServiceApi(configure(ADMIN_TOKEN));
const euros = (minorUnits: string) => ({ minorUnits, currency: "EUR" });
const write = ({ minorUnits, currency }: MoneyV1Money) => `${minorUnits} ${currency}`;

async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    const { details } = GoogleRpcStatusFromJSON(await error.response.json());
    const words: unknown[] = [error.response.status];
    for (const detail of details) {
      if (detail.atType === "type.googleapis.com/google.rpc.ErrorInfo") words.push(detail.reason);
      else words.push(...detail.fieldViolations.map(({ field }) => field));
    }
    return words.join(" ");
  }
  return "not refused";
}

function order(minorUnits: string, description: string, prefer?: string) {
  const request = { userId, amount: euros(minorUnits), description };
  return orders.ordersServiceCreateOrder({
    ordersV1CreateOrderRequest: request,
    ...(prefer !== undefined && { prefer }),
  });
}

/** The client has no server-sent events: this reads the stream itself, up to the first heartbeat. */
async function watch(): Promise<readonly OrdersV1Order[]> {
  const { raw } = await orders.ordersServiceWatchOrdersRaw({ userId });
  const seen = [];
  let text = "";
  for await (const chunk of raw.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const message = OrdersV1WatchOrdersResponseFromJSON(JSON.parse(event.slice(5)));
      if (message.heartbeat) return seen;
      if (message.order) seen.push(message.order);
    }
  }
  throw new Error("the watch ended before its first heartbeat");
}

async function pay() {
  const opening = { paymentsV1CreateAccountRequest: { userId, currency: "EUR" } };
  const opened = await payments.paymentsServiceCreateAccount(opening);
  console.log(`account: ${write(opened.balance)}`);
  console.log(`second account: ${await refusal(payments.paymentsServiceCreateAccount(opening))}`);

  for (const step of ["deposit", "deposit with the same key"]) {
    const { balance } = await payments.paymentsServiceDeposit({
      userId,
      idempotencyKey: "top-up",
      paymentsServiceDepositRequest: { amount: euros("3000000000") },
    });
    console.log(`${step}: ${write(balance)}`);
  }

  const paid = await order("2999999999", "two tickets", "wait=10");
  console.log(`order: ${write(paid.amount)} ${paid.status}`);
  const { amount, status, declineReason } = await order("1000000000000", "a boat", "wait=10");
  console.log(`larger order: ${write(amount)} ${status} ${declineReason}`);

  const { balance } = await payments.paymentsServiceGetAccount({ userId });
  console.log(`balance: ${write(balance)}`);
  const path = { userId, orderId: paid.id };
  const same = await orders.ordersServiceGetOrder(path);
  console.log(`get: ${same.description} ${same.status}`);

  const list = (query: Omit<OrdersServiceListOrdersRequest, "userId">) =>
    orders.ordersServiceListOrders({ userId, ...query });
  const first = await list({ pageSize: 1 });
  console.log(`first page: ${first.orders.map(({ description }) => description)}`);
  const second = await list({ pageSize: 1, pageToken: first.nextPageToken });
  const isLast = second.nextPageToken === "" ? ", the last" : "";
  console.log(`second page: ${second.orders.map(({ description }) => description)}${isLast}`);
  const paidOnes = await list({ status: "ORDER_STATUS_PAID" });
  console.log(`paid orders: ${paidOnes.orders.map(({ description }) => description)}`);

  const early = await refusal(list({ createdAfter: new Date("1960-01-01T00:00:00Z") }));
  console.log(`orders since 1960: ${early}`);

  const seen = await watch();
  console.log(
    `watch: ${seen.map(({ description, status }) => `${description} ${status}`).join(", ")}`,
  );

  console.log(`cancel of a paid order: ${await refusal(orders.ordersServiceCancelOrder(path))}`);
  const refund = { ...path, paymentsServiceRefundPaymentRequest: { amount: euros("50") } };
  const refused = await refusal(payments.paymentsServiceRefundPayment(refund));
  console.log(`refund by its user: ${refused}`);
  const refunded = await admin.paymentsServiceRefundPayment(refund);
  console.log(`refund by an admin: ${write(refunded.refundedAmount)} ${refunded.outcome}`);

  const statement = await payments.paymentsServiceListLedgerEntries({ userId });
  const entries = statement.entries.map(({ kind, amount }) => `${kind} ${amount.minorUnits}`);
  console.log(`statement: ${entries.join(", ")}`);
  const anonymous = new PaymentsServiceApi(configure());
  const unknown = await refusal(anonymous.paymentsServiceGetAccount({ userId }));
  console.log(`without a token: ${unknown}`);
}

async function cancelOne() {
  const path = { userId, orderId: (await order("1", "a whim")).id };
  console.log(`cancel: ${(await orders.ordersServiceCancelOrder(path)).status}`);
}

await (process.argv[2] === "cancel" ? cancelOne() : pay());
