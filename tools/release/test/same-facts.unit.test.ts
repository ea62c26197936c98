import assert from "node:assert/strict";
import { findDifferences, findLosses } from "../same-facts.ts";

describe("a current response compared with a recorded one", () => {
  const then = {
    id: "01a214e0-13f7-71fc-9b2c-8297deb5249c",
    createTime: "2026-11-25T22:42:39.631Z",
    revision: "2",
    nextPageToken: "x",
    description: "two tickets",
    amount: { minorUnits: "250" },
    entries: [{ kind: "A" }],
  };
  it("may have other ids, times, revisions and tokens, and more fields", () => {
    const now = {
      ...then,
      id: "01a214e0-14ae-775b-89c2-6d0de14ae6c0",
      createTime: "2027-01-01T00:00:00Z",
      revision: "7",
      nextPageToken: "y",
      amount: { minorUnits: "250", currency: "EUR" },
      more: true,
    };
    assert.deepEqual(findDifferences(then, now), []);
  });

  const changes: readonly (readonly [what: string, change: object])[] = [
    ["description", { description: "three tickets" }],
    ["id", { id: "7" }],
    ["createTime", { createTime: "yesterday" }],
    ["revision", { revision: "" }],
    ["nextPageToken", { nextPageToken: "" }],
    ["amount.minorUnits", { amount: { minorUnits: "251" } }],
    ["amount", { amount: undefined }],
    ["entries", { entries: [] }],
    ["entries.0.kind", { entries: [{ kind: "B" }] }],
  ];
  for (const [at, change] of changes) {
    it(`must have the same ${at}: ${JSON.stringify(change)}`, () => {
      const [difference = ""] = findDifferences(then, { ...then, ...change });
      assert.equal(difference.split(": ")[0], at);
    });
  }

  it("must have identical values if decoded from the same bytes, and may have more fields", () => {
    assert.deepEqual(findLosses(then, { ...then, more: true }), []);
    const [time, later] = [then.createTime, "2026-11-25T22:42:40Z"];
    const swapped = { createTime: later, settleTime: time };
    assert.deepEqual(findLosses({ createTime: time, settleTime: later }, swapped), [
      `createTime: "${later}" and was "${time}"`,
      `settleTime: "${time}" and was "${later}"`,
    ]);
  });

  it("may have another error message, but must have the same reason", () => {
    const error = { code: 5, message: "a", details: [{ reason: "X", description: "b" }] };
    const words = { code: 5, message: "c", details: [{ reason: "X", description: "d" }] };
    assert.deepEqual(findDifferences(error, words), []);
    const other = { ...words, details: [{ reason: "Y", description: "d" }] };
    assert.deepEqual(findDifferences(error, other), ['details.0.reason: "Y" and was "X"']);
  });
});
