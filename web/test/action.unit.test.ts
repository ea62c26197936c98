import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorClasses } from "@settle/sdk";
import { settleErrorOf } from "../../packages/sdk-runtime/src/settle-error.ts";
import { createIntents, maxIntents } from "../src/action/intent.ts";
import { isRefusal } from "../src/action/is-refusal.ts";
import { coalesce } from "../src/live/coalesce.ts";

describe("intents", () => {
  const setup = () => {
    let keys = 0;
    return createIntents(() => `key ${++keys}`);
  };

  it("keep the key of a request, also with another request in between", () => {
    const intents = setup();
    const keys = [5n, 6n, 5n].map((amount) => intents.begin("deposit", { amount }).key);
    assert.deepEqual(keys, ["key 1", "key 2", "key 1"]);
    assert.equal(intents.begin("order", { amount: 5n }).key, "key 3");
  });

  it("use a new key once the previous one is done, and keep it", () => {
    const intents = setup();
    const first = intents.begin("deposit", 5n);
    const twin = intents.begin("deposit", 5n);
    first.done();
    assert.equal(intents.begin("deposit", 5n).key, "key 2");
    twin.done();
    assert.equal(intents.begin("deposit", 5n).key, "key 2");
  });

  it("forget the oldest beyond their limit", () => {
    const intents = setup();
    for (let n = 0; n < maxIntents; n += 1) intents.begin("deposit", n);
    assert.equal(intents.begin("deposit", 0).key, "key 1");
    intents.begin("deposit", maxIntents);
    assert.equal(intents.begin("deposit", 0).key, "key 1");
    assert.equal(intents.begin("deposit", 1).key, `key ${maxIntents + 2}`);
  });

  it("distinguish numbers from strings that look like them", () => {
    const intents = setup();
    assert.notEqual(intents.begin("x", { a: 5n }).key, intents.begin("x", { a: "5" }).key);
  });

  it("create keys that are valid in a header", () => {
    assert.match(createIntents().begin("x", 1).key, /^[0-9a-f]{32}$/);
  });
});

describe("a refusal", () => {
  const failure = (code: Code) => settleErrorOf(new ConnectError("no", code), errorClasses);

  it("is an error that proves no effect, not one that leaves it open", () => {
    assert.ok(isRefusal(failure(Code.FailedPrecondition)));
    assert.ok(isRefusal(failure(Code.InvalidArgument)));
    const open = [Code.Unavailable, Code.DeadlineExceeded, Code.ResourceExhausted, Code.Internal];
    for (const code of [...open, Code.Unauthenticated, Code.Canceled]) {
      assert.ok(!isRefusal(failure(code)), Code[code]);
    }
    assert.ok(!isRefusal(new TypeError("Failed to fetch")));
  });
});

describe("coalesce", () => {
  it("runs once more for all calls during a run, and no more often", async () => {
    const ends: (() => void)[] = [];
    const refetch = coalesce(() => new Promise<void>((resolve) => ends.push(resolve)));
    const first = refetch();
    const others = [refetch(), refetch(), refetch()];
    assert.equal(ends.length, 1);
    ends[0]?.();
    await first;
    await new Promise(setImmediate);
    assert.equal(ends.length, 2);
    ends[1]?.();
    await Promise.all(others);
    assert.equal(ends.length, 2);
  });

  it("continues after a failure", async () => {
    let runs = 0;
    const refetch = coalesce(async () => {
      runs += 1;
      throw new Error("refused");
    });
    await refetch();
    await refetch();
    assert.equal(runs, 2);
  });
});
