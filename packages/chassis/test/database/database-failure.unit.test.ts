import assert from "node:assert/strict";
import { failureOf, transactionConflict } from "../../src/database/database-failure.ts";

describe("database failures", () => {
  const cases: [string, unknown, string][] = [
    ["a serialization failure", { code: "40001" }, "conflict"],
    ["a deadlock", { code: "40P01" }, "conflict"],
    ["a transaction that asks to be run again", transactionConflict("row appeared"), "conflict"],
    ["a server that is stopping", { code: "57P01" }, "unavailable"],
    ["nobody listening", { code: "ECONNREFUSED" }, "unavailable"],
    ["a lost connection", new Error("Connection terminated unexpectedly"), "unavailable"],
    ["a lost connection, wrapped", new Error("x", { cause: { code: "08006" } }), "unavailable"],
    [
      "a pool without a free connection",
      new Error("timeout exceeded when trying to connect"),
      "busy",
    ],
    ["a server that does not answer", new Error("timeout expired"), "unavailable"],
    ["a row that somebody holds", { code: "55P03" }, "locked"],
    ["a statement that took too long", { code: "57014" }, "slow"],
    ["a full disk", { code: "53100" }, "unavailable"],
    ["a database that can only be read", { code: "25006" }, "unavailable"],
    ["a name that cannot be resolved", { code: "EAI_AGAIN" }, "unavailable"],
    ["a missing partition", { code: "23514", routine: "ExecFindPartition" }, "unknown"],
    ["text that cannot be stored", { code: "22021" }, "refused"],
    ["a violated check", { code: "23514" }, "refused"],
    ["a fault of our own", new TypeError("undefined is not a function"), "unknown"],
    ["nothing at all", undefined, "unknown"],
  ];
  for (const [what, error, failure] of cases) {
    it(`classifies ${what} as ${failure}`, () => assert.equal(failureOf(error), failure));
  }
});
