import assert from "node:assert/strict";
import { type DescMethod, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { eventually } from "@settle/chassis/testing";
import { OrderSchema } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { pathOf } from "../harness/calls/protocols.ts";
import { assertWholeAfterwards, checkTimeoutMs } from "../harness/checker/checker.ts";
import { createHistory, defaultCurrency as currency } from "../harness/checker/history.ts";
import { type LossyProxy, startLossyProxy } from "../harness/faults/lossy-proxy.ts";
import { type ServiceName, type System, startSystem } from "../harness/system/system.ts";
import { authorizationOf } from "../harness/system/tokens.ts";

const { createOrder, cancelOrder, getOrder } = OrdersService.method;
const { createAccount, deposit, refundPayment } = PaymentsService.method;
const userId = "alice";
/** The statements that identify the transaction of a call and of a message. */
const usingKeys = "idempotency_keys";
const claimingMessages = "INSERT INTO inbox";
const callers = 50;
/** The number of sequential calls of each caller, and so the minimum number of batches. */
const callsEach = 3;
/** The number of attempts of a transaction that loses its connection each time. */
const maxAttempts = 3;

type Answer = { readonly status: number; readonly replayed: boolean; readonly body: JsonObject };

/** A method, how to prepare a new request, and how to record its effect. */
type Mutation = {
  readonly method: DescMethod;
  readonly prepare: () => Promise<JsonObject> | JsonObject;
  readonly note: (request: JsonObject, answer: Answer) => void;
};

describe("a commit whose response was lost", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  const parts = new AsyncDisposableStack();
  let system: System;
  const proxies = new Map<ServiceName, LossyProxy>();
  const urls = new Map<ServiceName, string>();

  const startBehindProxy = async (service: ServiceName) => {
    const { connectionString = "" } = system.databases[service].options;
    const proxy = parts.use(await startLossyProxy(connectionString));
    const replica = await system.start(service, { env: { DATABASE_URL: proxy.url } });
    proxies.set(service, proxy);
    urls.set(service, replica.url);
  };
  before(async () => {
    system = parts.use(await startSystem());
    await startBehindProxy("orders");
  });
  after(() => parts.disposeAsync());

  const serviceOf = (method: DescMethod): ServiceName =>
    method.parent.typeName === OrdersService.typeName ? "orders" : "payments";
  const proxyOf = (service: ServiceName) => proxies.get(service) ?? assert.fail(service);
  const send = async (method: DescMethod, request: JsonObject, key?: string): Promise<Answer> => {
    const response = await fetch(urls.get(serviceOf(method)) + pathOf(method), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: await authorizationOf(String(request.userId), ["admin"]),
        ...(key !== undefined && { "idempotency-key": key }),
      },
      body: JSON.stringify(request),
    });
    const replayed = response.headers.get("idempotency-replayed") === "true";
    return { status: response.status, replayed, body: (await response.json()) as JsonObject };
  };
  const sendOk = async (method: DescMethod, request: JsonObject, key?: string) => {
    const answer = await send(method, request, key);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer;
  };

  let count = 0;
  const amountOf = (minorUnits: number) => ({ minorUnits: String(minorUnits), currency });
  const newOrder = (minorUnits = 1) => ({
    userId,
    amount: amountOf(minorUnits),
    description: `order ${++count}`,
  });
  const noteOrder = ({ description }: JsonObject, { body }: Pick<Answer, "body">) => {
    const order = fromJson(OrderSchema, body);
    const amountMinor = order.amount?.minorUnits ?? 0n;
    const asked = { userId, amountMinor, currency, description: String(description) };
    history.orders.push({ ...asked, outcome: "ok", order });
  };
  const place = async (request: JsonObject) => {
    const answer = await sendOk(createOrder, request);
    noteOrder(request, answer);
    return { userId, orderId: String(answer.body.id) };
  };
  const paid = async (order: { userId: string; orderId: string }) => {
    await eventually(`order ${order.orderId} is paid`, async () =>
      (await sendOk(getOrder, order)).body.status === "ORDER_STATUS_PAID" ? true : undefined,
    );
    return order;
  };

  const cancelling: Mutation = {
    method: cancelOrder,
    // While payments is not running.
    prepare: () => place(newOrder()),
    note(_, { body }) {
      assert.equal(body.status, "ORDER_STATUS_CANCELLED");
      history.cancellations.push({ orderId: String(body.id), outcome: "ok" });
    },
  };
  const ordering: Mutation = {
    method: createOrder,
    prepare: () => newOrder(),
    note: noteOrder,
  };
  const opening: Mutation = {
    method: createAccount,
    prepare: () => ({ userId: `user-${++count}`, currency }),
    note(request, { body }) {
      assert.equal(body.userId, request.userId);
      const account = { userId: String(request.userId), amountMinor: 0n, currency };
      history.accounts.push({ ...account, outcome: "ok" });
    },
  };
  const depositing: Mutation = {
    method: deposit,
    prepare: () => ({ userId, amount: amountOf(++count) }),
    note({ amount }) {
      const amountMinor = BigInt(String((amount as JsonObject).minorUnits));
      history.deposits.push({ userId, amountMinor, currency, outcome: "ok" });
    },
  };
  const refunding = (order: () => { userId: string; orderId: string }): Mutation => ({
    method: refundPayment,
    prepare: () => ({ ...order(), amount: amountOf(1) }),
    note({ orderId }) {
      history.refunds.push({ orderId: String(orderId), amountMinor: 1n, outcome: "ok" });
    },
  });

  const survives = ({ method, prepare, note }: Mutation) => {
    for (const key of [undefined, "a-key"]) {
      it(`of ${method.name} with ${key ? "a key" : "no key"} is found by the call itself`, async () => {
        const request = await prepare();
        const lost = proxyOf(serviceOf(method)).loseCommits({ sent: usingKeys });
        const answer = await sendOk(method, request, key);
        await lost;
        note(request, answer);
        // The call is retried, and a result that it finds under the client's key counts as
        // replayed. (It was not, but it looks the same as another call with the key.)
        assert.equal(answer.replayed, key !== undefined);
        if (key === undefined) return;
        assert.deepEqual(await sendOk(method, request, key), { ...answer, replayed: true });
      });
    }

    it(`of a batch of ${method.name} is found by all its calls`, async () => {
      const requests = await Promise.all(
        Array.from({ length: callers * callsEach }, () => prepare()),
      );
      const lost = proxyOf(serviceOf(method)).loseCommits({ sent: usingKeys, nth: 2 });
      const keyOf = (nth: number) => (nth % 2 === 0 ? `key-${nth}` : undefined);
      const answers: Answer[] = [];
      const call = async (caller: number) => {
        for (let nth = caller; nth < requests.length; nth += callers) {
          answers[nth] = await sendOk(method, requests[nth] ?? {}, keyOf(nth));
        }
      };
      await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
      await lost;
      // The calls of that batch that had a client's key.
      const replays = answers.filter(({ replayed }) => replayed).length;
      assert.ok(replays < requests.length / 2, `${replays} answers are replays`);
      for (const [nth, request] of requests.entries()) {
        const answer = answers[nth] ?? assert.fail();
        note(request, answer);
        const key = keyOf(nth);
        if (key === undefined) assert.equal(answer.replayed, false);
        else assert.deepEqual(await sendOk(method, request, key), { ...answer, replayed: true });
      }
    });
  };

  describe("while payments is unavailable", () => survives(cancelling));

  describe("while both services run", () => {
    let order: { userId: string; orderId: string };
    before(async () => {
      await startBehindProxy("payments");
      const [account, funds] = [
        { userId, currency },
        { userId, amount: amountOf(1_000_000) },
      ];
      opening.note(account, await sendOk(createAccount, account));
      depositing.note(funds, await sendOk(deposit, funds));
      order = await paid(await place(newOrder(1_000)));
    });

    for (const mutation of [opening, depositing, ordering, refunding(() => order)]) {
      survives(mutation);
    }

    it("on every attempt leaves the retry to the client", async () => {
      for (const key of ["asked-again", undefined]) {
        const request = newOrder();
        const lost = proxyOf("orders").loseCommits({ sent: usingKeys, times: maxAttempts });
        const { status } = await send(createOrder, request, key);
        assert.equal(status, 503);
        await lost;
        const { description } = request;
        if (key === undefined) {
          const asked = { userId, amountMinor: 1n, currency, description };
          history.orders.push({ ...asked, outcome: "unknown", order: undefined });
        } else {
          const answer = await sendOk(createOrder, request, key);
          assert.equal(answer.replayed, true);
          noteOrder(request, answer);
        }
      }
    });

    for (const service of ["payments", "orders"] as const) {
      it(`of a message to ${service} is found when the message is redelivered`, async () => {
        const lost = proxyOf(service).loseCommits({ sent: claimingMessages });
        const placed = await place(newOrder());
        await lost;
        await paid(placed);
      });
    }

    it("leaves the system consistent", () => assertWholeAfterwards(system, history));
  });
});
