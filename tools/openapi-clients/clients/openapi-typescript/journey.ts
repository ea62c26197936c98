/** The journey (see ../../journey.ts) with openapi-fetch and the types of openapi-typescript. */
import createClient from "openapi-fetch";
import type { components, paths } from "./client/document.ts";

type Schemas = components["schemas"];
type Status = Schemas["google.rpc.Status"];
type Answer<Data> = { data?: Data; error?: Status; response: Response };

const { EDGE_URL: baseUrl = "", USER_ID: userId = "", TOKEN, ADMIN_TOKEN } = process.env;
const clientOf = (token?: string) =>
  createClient<paths>({ baseUrl, headers: token ? { authorization: `Bearer ${token}` } : {} });
const user = clientOf(TOKEN);
const admin = clientOf(ADMIN_TOKEN);
const accounts = "/gateway/payments/accounts";
const euros = (minorUnits: string) => ({ minorUnits, currency: "EUR" });
const write = ({ minorUnits, currency }: Schemas["money.v1.Money"]) => `${minorUnits} ${currency}`;

function answer<Data>({ data, error }: Answer<Data>): Data {
  if (data === undefined) throw new Error(`refused: ${error?.message}`);
  return data;
}

function refusal({ error, response }: Answer<unknown>): string {
  const words: unknown[] = [response.status];
  for (const detail of error?.details ?? []) {
    if (detail["@type"] === "type.googleapis.com/google.rpc.ErrorInfo") words.push(detail.reason);
    else words.push(...detail.fieldViolations.map(({ field }) => field));
  }
  return words.join(" ");
}

async function order(minorUnits: string, description: string, Prefer?: string) {
  const params = Prefer === undefined ? {} : { header: { Prefer } };
  const body = { userId, amount: euros(minorUnits), description };
  return answer(await user.POST("/gateway/orders", { params, body }));
}

const cancel = (orderId: string) =>
  user.POST("/gateway/orders/{userId}/{orderId}:cancel", { params: { path: { userId, orderId } } });

/** The client has no server-sent events: this reads the stream itself, up to the first heartbeat. */
async function watch(): Promise<readonly Schemas["orders.v1.Order"][]> {
  const { data, response } = await user.GET("/gateway/orders/{userId}:watch", {
    params: { path: { userId } },
    parseAs: "stream",
  });
  if (!data) throw new Error(`the watch answers ${response.status}`);
  const orders = [];
  let text = "";
  for await (const chunk of data.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const message: Schemas["orders.v1.WatchOrdersResponse"] = JSON.parse(event.slice(5));
      if (message.heartbeat) return orders;
      if (message.order) orders.push(message.order);
    }
  }
  throw new Error("the watch ended before its first heartbeat");
}

async function pay() {
  const opening = { body: { userId, currency: "EUR" } };
  console.log(`account: ${write(answer(await user.POST(accounts, opening)).balance)}`);
  console.log(`second account: ${refusal(await user.POST(accounts, opening))}`);

  for (const step of ["deposit", "deposit with the same key"]) {
    const account = await user.POST(`${accounts}/{userId}:deposit`, {
      params: { path: { userId }, header: { "Idempotency-Key": "top-up" } },
      body: { amount: euros("3000000000") },
    });
    console.log(`${step}: ${write(answer(account).balance)}`);
  }

  const paid = await order("2999999999", "two tickets", "wait=10");
  console.log(`order: ${write(paid.amount)} ${paid.status}`);
  const declined = await order("1000000000000", "a boat", "wait=10");
  const { amount, status, declineReason } = declined;
  console.log(`larger order: ${write(amount)} ${status} ${declineReason}`);

  const account = await user.GET(`${accounts}/{userId}`, { params: { path: { userId } } });
  console.log(`balance: ${write(answer(account).balance)}`);
  const path = { userId, orderId: paid.id };
  const same = answer(await user.GET("/gateway/orders/{userId}/{orderId}", { params: { path } }));
  console.log(`get: ${same.description} ${same.status}`);

  type Query = {
    pageSize?: number;
    pageToken?: string;
    status?: Schemas["orders.v1.OrderStatus"];
    createdAfter?: string;
  };
  const find = (query: Query) =>
    user.GET("/gateway/orders/{userId}", { params: { path: { userId }, query } });
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
  const refund = { params: { path }, body: { amount: euros("50") } };
  const refundPath = `${accounts}/{userId}/payments/{orderId}:refund` as const;
  console.log(`refund by its user: ${refusal(await user.POST(refundPath, refund))}`);
  const { refundedAmount, outcome } = answer(await admin.POST(refundPath, refund));
  console.log(`refund by an admin: ${write(refundedAmount)} ${outcome}`);

  const statement = await user.GET(`${accounts}/{userId}/entries`, {
    params: { path: { userId } },
  });
  const entries = answer(statement).entries.map(
    ({ kind, amount }) => `${kind} ${amount.minorUnits}`,
  );
  console.log(`statement: ${entries.join(", ")}`);
  const anonymous = await clientOf().GET(`${accounts}/{userId}`, { params: { path: { userId } } });
  console.log(`without a token: ${refusal(anonymous)}`);
}

async function cancelOne() {
  const { id } = await order("1", "a whim");
  console.log(`cancel: ${answer(await cancel(id)).status}`);
}

await (process.argv[2] === "cancel" ? cancelOne() : pay());
