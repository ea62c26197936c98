import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { pageTokenOf, readPage } from "../../src/rpc/page-token.ts";

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
