/** The journey (see ../../journey.ts) with the client of @hey-api/openapi-ts. */
import { createClient } from "./client/client";
import {
  type GoogleRpcStatus,
  type MoneyV1Money,
  type OrdersV1Order,
  ordersServiceCancelOrder,
  ordersServiceCreateOrder,
  ordersServiceGetOrder,
  ordersServiceListOrders,
  ordersServiceWatchOrders,
  paymentsServiceCreateAccount,
  paymentsServiceDeposit,
  paymentsServiceGetAccount,
  paymentsServiceListLedgerEntries,
  paymentsServiceRefundPayment,
} from "./client/index";

type Answer<Data> = { data?: Data; error?: GoogleRpcStatus; response?: Response };

const { EDGE_URL: baseUrl = "", USER_ID: userId = "", TOKEN, ADMIN_TOKEN } = process.env;
const clientOf = (token?: string) => createClient({ baseUrl, ...(token && { auth: token }) });
const client = clientOf(TOKEN);
const admin = clientOf(ADMIN_TOKEN);
const euros = (minorUnits: string) => ({ minorUnits, currency: "EUR" });
const write = ({ minorUnits, currency }: MoneyV1Money) => `${minorUnits} ${currency}`;

function answer<Data>({ data, error }: Answer<Data>): Data {
  if (data === undefined) throw new Error(`refused: ${error?.message}`);
  return data;
}

function refusal({ error, response }: Answer<unknown>): string {
  const words: unknown[] = [response?.status];
  for (const detail of error?.details ?? []) {
    if (detail["@type"] === "type.googleapis.com/google.rpc.ErrorInfo") words.push(detail.reason);
    else words.push(...detail.fieldViolations.map(({ field }) => field));
  }
  return words.join(" ");
}

async function order(minorUnits: string, description: string, Prefer?: string) {
  const headers = Prefer === undefined ? {} : { Prefer };
  const body = { userId, amount: euros(minorUnits), description };
  return answer(await ordersServiceCreateOrder({ client, headers, body }));
}

const cancel = (orderId: string) => ordersServiceCancelOrder({ client, path: { userId, orderId } });

async function watch(): Promise<readonly OrdersV1Order[]> {
  const stop = new AbortController();
  const { signal } = stop;
  const { stream } = await ordersServiceWatchOrders({ client, path: { userId }, signal });
  const orders = [];
  for await (const { order, heartbeat } of stream) {
    if (order) orders.push(order);
    if (!heartbeat) continue;
    // Leaving the loop does not end the request.
    stop.abort();
    return orders;
  }
  throw new Error("the watch ended before its first heartbeat");
}

async function pay() {
  const opening = { client, body: { userId, currency: "EUR" } };
  console.log(`account: ${write(answer(await paymentsServiceCreateAccount(opening)).balance)}`);
  console.log(`second account: ${refusal(await paymentsServiceCreateAccount(opening))}`);

  for (const step of ["deposit", "deposit with the same key"]) {
    const account = await paymentsServiceDeposit({
      client,
      path: { userId },
      headers: { "Idempotency-Key": "top-up" },
      body: { amount: euros("3000000000") },
    });
    console.log(`${step}: ${write(answer(account).balance)}`);
  }

  const paid = await order("2999999999", "two tickets", "wait=10");
  console.log(`order: ${write(paid.amount)} ${paid.status}`);
  const { amount, status, declineReason } = await order("1000000000000", "a boat", "wait=10");
  console.log(`larger order: ${write(amount)} ${status} ${declineReason}`);

  const account = await paymentsServiceGetAccount({ client, path: { userId } });
  console.log(`balance: ${write(answer(account).balance)}`);
  const path = { userId, orderId: paid.id };
  const same = answer(await ordersServiceGetOrder({ client, path }));
  console.log(`get: ${same.description} ${same.status}`);

  type Query = Parameters<typeof ordersServiceListOrders>[0]["query"];
  const find = (query: Query) => ordersServiceListOrders({ client, path: { userId }, query });
  const list = async (query: Query) => answer(await find(query));
  const first = await list({ pageSize: 1 });
  console.log(`first page: ${first.orders.map(({ description }) => description)}`);
  const second = await list({ pageSize: 1, pageToken: first.nextPageToken });
  const isLast = second.nextPageToken === "" ? ", the last" : "";
  console.log(`second page: ${second.orders.map(({ description }) => description)}${isLast}`);
  const { orders } = await list({ status: "ORDER_STATUS_PAID" });
  console.log(`paid orders: ${orders.map(({ description }) => description)}`);

  const early = await find({ createdAfter: "1960-01-01T00:00:00Z" });
  console.log(`orders since 1960: ${refusal(early)}`);

  const seen = await watch();
  console.log(
    `watch: ${seen.map(({ description, status }) => `${description} ${status}`).join(", ")}`,
  );

  console.log(`cancel of a paid order: ${refusal(await cancel(paid.id))}`);
  const refund = { path, body: { amount: euros("50") } };
  const refused = await paymentsServiceRefundPayment({ client, ...refund });
  console.log(`refund by its user: ${refusal(refused)}`);
  const refunded = answer(await paymentsServiceRefundPayment({ client: admin, ...refund }));
  console.log(`refund by an admin: ${write(refunded.refundedAmount)} ${refunded.outcome}`);

  const statement = answer(await paymentsServiceListLedgerEntries({ client, path: { userId } }));
  const entries = statement.entries.map(({ kind, amount }) => `${kind} ${amount.minorUnits}`);
  console.log(`statement: ${entries.join(", ")}`);
  const anonymous = await paymentsServiceGetAccount({ client: clientOf(), path: { userId } });
  console.log(`without a token: ${refusal(anonymous)}`);
}

async function cancelOne() {
  const { id } = await order("1", "a whim");
  console.log(`cancel: ${answer(await cancel(id)).status}`);
}

await (process.argv[2] === "cancel" ? cancelOne() : pay());
