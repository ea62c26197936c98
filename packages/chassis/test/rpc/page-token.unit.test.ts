import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Order, OrderSchema } from "@settle/gen/orders/v1/order_pb";
import { pageOf, pageTokenOf, readPage } from "../../src/rpc/page-token.ts";

describe("page tokens", () => {
  it("lead back to their position", () => {
    const pageToken = pageTokenOf("ListOrders alice", "7");
    assert.deepEqual(readPage("ListOrders alice", /^\d+$/, { pageSize: 2, pageToken }), {
      limit: 2,
      after: "7",
    });
  });

  it("are absent on the first and the last page", () => {
    assert.deepEqual(readPage("ListOrders alice", /^\d+$/, { pageSize: 0, pageToken: "" }), {
      limit: 50,
      after: undefined,
    });
    assert.equal(pageTokenOf("ListOrders alice", undefined), "");
  });

  it("count a page size above the limit as the limit", () => {
    for (const pageSize of [1_000, 1_001, 2 ** 31 - 1]) {
      assert.equal(readPage("ListOrders alice", /x/, { pageSize, pageToken: "" }).limit, 1_000);
    }
  });

  it("are refused for another list and when damaged", () => {
    const token = pageTokenOf("ListOrders alice", "7");
    for (const [scope, pageToken] of [
      ["ListOrders bob", token],
      ["ListLedgerEntries alice", token],
      ["ListOrders alice", token.slice(0, -1)],
      ["ListOrders alice", `${token}A`],
      ["ListOrders alice", "!"],
      ["ListOrders alice", pageTokenOf("ListOrders alice", "seven")],
    ] as const) {
      assert.throws(
        () => readPage(scope, /^\d+$/, { pageSize: 2, pageToken }),
        (error) => error instanceof ConnectError && error.code === Code.InvalidArgument,
        `${scope} ${pageToken}`,
      );
    }
  });
});

describe("a page", () => {
  const scope = "ListOrders alice";
  const orderOf = (index: number, characters: number) =>
    create(OrderSchema, { id: String(index), description: "😀".repeat(characters) });
  const ordersOf = (count: number, characters: number) =>
    Array.from({ length: count }, (_, index) => orderOf(index, characters));
  const pageWith = (limit: number, stored: readonly Order[], after?: string) => {
    const reads: number[] = [];
    const page = pageOf({
      scope,
      page: { limit, after },
      async read(part) {
        reads.push(part.limit);
        const start = part.after === undefined ? 0 : Number(part.after) + 1;
        return stored.slice(start, start + part.limit + 1);
      },
      positionOf: ({ id }) => id,
      messageOf: (order) => order,
      bytesOf: ({ description }) => Buffer.byteLength(description),
    });
    return page.then((made) => ({ ...made, reads }));
  };

  it("has the requested number of items, and a token if there is one more", async () => {
    const stored = ordersOf(4, 1);
    const page = await pageWith(3, stored);
    assert.deepEqual(page.messages, stored.slice(0, 3));
    assert.equal(page.nextPageToken, pageTokenOf(scope, "2"));
    assert.deepEqual(await pageWith(4, stored), {
      messages: stored,
      nextPageToken: "",
      reads: [4],
    });
    assert.deepEqual(await pageWith(4, []), { messages: [], nextPageToken: "", reads: [4] });
    const second = await pageWith(3, stored, "2");
    assert.deepEqual(second, { messages: stored.slice(3), nextPageToken: "", reads: [3] });
  });

  it("is read in parts", async () => {
    const stored = ordersOf(1_001, 1);
    const page = await pageWith(600, stored);
    assert.deepEqual(page.messages, stored.slice(0, 600));
    assert.equal(page.nextPageToken, pageTokenOf(scope, "599"));
    assert.deepEqual(page.reads, [250, 250, 100]);
    const rest = await pageWith(1_000, stored.slice(0, 500));
    assert.deepEqual([rest.messages.length, rest.nextPageToken], [500, ""]);
  });

  it("ends before 256 KiB of items", async () => {
    const stored = ordersOf(200, 1_000);
    const page = await pageWith(200, stored);
    const count = page.messages.length;
    const bytes = page.messages.reduce((sum, one) => sum + toBinary(OrderSchema, one).length, 0);
    assert.ok(bytes < 260 * 1024);
    assert.ok(bytes > 250 * 1024);
    assert.deepEqual(page.messages, stored.slice(0, count));
    assert.equal(page.nextPageToken, pageTokenOf(scope, String(count - 1)));
  });

  it("has at least one item, however large", async () => {
    const huge = orderOf(0, 1_000_000);
    const page = await pageWith(60, [huge, ...ordersOf(60, 1).slice(1)]);
    assert.deepEqual(page.messages, [huge]);
    assert.equal(page.nextPageToken, pageTokenOf(scope, "0"));
  });

  it("gives others many turns while it is made", async () => {
    let turns = 0;
    const count = () => {
      turns += 1;
      waiting = setImmediate(count);
    };
    let waiting = setImmediate(count);
    const stored = ordersOf(1_001, 1);
    const page = await pageWith(1_000, stored);
    clearImmediate(waiting);
    assert.deepEqual(page.messages, stored.slice(0, 1_000));
    assert.ok(turns >= 39, `${turns} turns`);
  });
});
