import assert from "node:assert/strict";
import { createIntent } from "../src/action/intent.ts";
import { coalesce } from "../src/live/coalesce.ts";

describe("an intent", () => {
  const setup = () => {
    let keys = 0;
    return createIntent(() => `key ${++keys}`);
  };

  it("keeps its key while the same thing is meant", () => {
    const intent = setup();
    assert.equal(intent.keyFor({ amount: 5n }), "key 1");
    assert.equal(intent.keyFor({ amount: 5n }), "key 1");
  });

  it("takes another one when the input changes, and after a success", () => {
    const intent = setup();
    assert.equal(intent.keyFor({ amount: 5n }), "key 1");
    assert.equal(intent.keyFor({ amount: 6n }), "key 2");
    intent.done();
    assert.equal(intent.keyFor({ amount: 6n }), "key 3");
  });

  it("tells numbers from texts that look like them", () => {
    const intent = setup();
    assert.notEqual(intent.keyFor({ a: 5n }), intent.keyFor({ a: "5" }));
  });

  it("makes keys that a header can carry", () => {
    assert.match(createIntent().keyFor(1), /^[0-9a-f]{32}$/);
  });
});

describe("coalesce", () => {
  it("runs once more for all that ask while it runs, and not more often", async () => {
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

  it("goes on after a failure", async () => {
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
