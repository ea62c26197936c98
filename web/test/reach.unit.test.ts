import assert from "node:assert/strict";
import { Code } from "@settle/sdk";
import { createReach } from "../src/session/reach.ts";

const getAccount = "http://edge/payments.v1.PaymentsService/GetAccount";
const watchOrders = "http://edge/orders.v1.OrdersService/WatchOrders";
const listOrders = "http://edge/orders.v1.OrdersService/ListOrders";

type Answer = number | Error | Response | Promise<Response>;

/** A reach whose calls end as `answer` says: with a status or response, or with an error. */
function setupReach(options?: { readonly lateAfterMs: number }) {
  let answer: Answer = 200;
  const reach = createReach(async () => {
    if (answer instanceof Error) throw answer;
    return typeof answer === "number" ? new Response(null, { status: answer }) : answer;
  }, options);
  let changes = 0;
  reach.listen(() => {
    changes += 1;
  });
  return {
    reach,
    changes: () => changes,
    async call(url: string, ends: Answer, signal?: AbortSignal) {
      answer = ends;
      await reach.fetch(url, signal ? { signal } : {}).catch(() => {});
      return [...reach.away].toSorted();
    },
  };
}

describe("what the page can reach", () => {
  it("is everything at first, and whatever answers, also with a refusal", async () => {
    const { call, changes } = setupReach();
    for (const status of [200, 400, 404, 429, 500]) {
      assert.deepEqual(await call(getAccount, status), []);
    }
    assert.equal(changes(), 0);
  });

  it("does not include a service for which the edge answers, until the service does", async () => {
    const { call, changes } = setupReach();
    for (const status of [502, 503, 504]) {
      assert.deepEqual(await call(getAccount, status), ["payments"]);
    }
    assert.deepEqual(await call(listOrders, 503), ["orders", "payments"]);
    assert.deepEqual(await call(listOrders, 200), ["payments"]);
    assert.deepEqual(await call(getAccount, 404), []);
    assert.equal(changes(), 4);
  });

  it("does not include a service that does not answer in time", async () => {
    const { call } = setupReach();
    const end = new AbortController();
    end.abort({ code: Code.DeadlineExceeded });
    const error = new DOMException("aborted", "AbortError");
    assert.deepEqual(await call(getAccount, error, end.signal), ["payments"]);
    assert.deepEqual(await call(getAccount, 200), []);
  });

  it("does not include a service that is late, but for a stream, until it answers", async () => {
    const { reach, call } = setupReach({ lateAfterMs: 1 });
    const late = Promise.withResolvers<Response>();
    const noted = new Promise<void>((resolve) => reach.listen(resolve));
    const calls = [call(watchOrders, late.promise), call(getAccount, late.promise)];
    await noted;
    assert.deepEqual([...reach.away], ["payments"]);
    late.resolve(new Response());
    assert.deepEqual(await Promise.all(calls), [[], []]);
  });

  it("does not include a service that the edge reports as unavailable by gRPC-Web", async () => {
    const { call } = setupReach();
    const answer = (status: Code) =>
      new Response(null, { headers: { "grpc-status": `${status}` } });
    assert.deepEqual(await call(getAccount, answer(Code.Unavailable)), ["payments"]);
    assert.deepEqual(await call(getAccount, answer(Code.NotFound)), []);
  });

  it("is nothing without a network; a call that its caller ends says nothing", async () => {
    const { call } = setupReach();
    assert.deepEqual(await call(listOrders, new TypeError("Failed to fetch")), ["network"]);
    assert.deepEqual(await call("http://auth/token", 200), []);
    const end = new AbortController();
    end.abort();
    assert.deepEqual(await call(getAccount, new DOMException("x", "AbortError"), end.signal), []);
  });
});
