import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { refuse } from "@settle/chassis/contract/errors";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import type { ListOrdersRequest } from "@settle/gen/orders/v1/orders_service_pb";
import { PageTokenInvalidError } from "@settle/sdk";
import { setupSdk, unavailable } from "./sdk-setup.ts";

const userId = "alice";
const pages: Readonly<Record<string, { ids: readonly string[]; nextPageToken: string }>> = {
  "": { ids: ["a", "b"], nextPageToken: "second" },
  second: { ids: [], nextPageToken: "third" },
  third: { ids: ["c"], nextPageToken: "" },
};

describe("pages of the SDK", () => {
  const asked: ListOrdersRequest[] = [];
  const listOrders = (request: ListOrdersRequest) => {
    asked.push(request);
    const page = pages[request.pageToken];
    if (!page) throw refuse(Code.InvalidArgument, ErrorReason.PAGE_TOKEN_INVALID, "no such page");
    return { orders: page.ids.map((id) => ({ id })), nextPageToken: page.nextPageToken };
  };
  beforeEach(() => {
    asked.length = 0;
  });

  it("arrive one after another, with the same filter", async () => {
    await using sdk = await setupSdk({ listOrders });
    const sizes: number[] = [];
    for await (const page of sdk.orders.listOrders({ userId, pageSize: 2 })) {
      sizes.push(page.orders.length);
    }
    assert.deepEqual(sizes, [2, 0, 1]);
    assert.deepEqual(
      asked.map(({ userId, pageSize, pageToken }) => [userId, pageSize, pageToken]),
      ["", "second", "third"].map((token) => ["alice", 2, token]),
    );
  });

  it("are requested only when they are read", async () => {
    await using sdk = await setupSdk({ listOrders });
    const list = sdk.orders.listOrders({ userId });
    assert.equal(asked.length, 0);
    assert.equal((await list.first()).nextPageToken, "second");
    assert.equal(
      (await sdk.orders.listOrders({ userId, pageToken: "third" }).first()).orders.length,
      1,
    );
    for await (const order of sdk.orders.allOrders({ userId })) {
      assert.equal(order.id, "a");
      break;
    }
    assert.equal(asked.length, 3);
  });

  it("yield their items one by one, from the page that the request names", async () => {
    await using sdk = await setupSdk({ listOrders });
    const all = await Array.fromAsync(sdk.orders.allOrders({ userId }));
    assert.deepEqual(
      all.map(({ id }) => id),
      ["a", "b", "c"],
    );
    const rest = await Array.fromAsync(sdk.orders.allOrders({ userId, pageToken: "second" }));
    assert.deepEqual(
      rest.map(({ id }) => id),
      ["c"],
    );
  });

  it("are each a separate call", async () => {
    let calls = 0;
    await using sdk = await setupSdk({
      listOrders(request) {
        calls += 1;
        if (calls % 2 === 1) throw unavailable();
        return listOrders(request);
      },
    });
    assert.equal((await Array.fromAsync(sdk.orders.allOrders({ userId }))).length, 3);
    assert.equal(calls, 6);
    const unknown = sdk.orders.allOrders({ userId, pageToken: "fourth" });
    await assert.rejects(Array.fromAsync(unknown), PageTokenInvalidError);
  });

  it("fail if a page token repeats", async () => {
    await using sdk = await setupSdk({ listOrders: () => ({ orders: [], nextPageToken: "same" }) });
    await assert.rejects(
      Array.fromAsync(sdk.orders.allOrders({ userId })),
      /is the token of this page/,
    );
  });
});
