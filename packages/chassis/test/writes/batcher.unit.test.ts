import assert from "node:assert/strict";
import { BatcherFullError, type BatcherOptions, createBatcher } from "../../src/writes/batcher.ts";

/** Runs batches one by one as the test lets them: each waits for its gate. */
function setup(options: Partial<BatcherOptions<string, string>> = {}) {
  const batches: string[][] = [];
  let fault: (item: string) => Error | undefined = () => undefined;
  let gate: Promise<void> = Promise.resolve();
  const batcher = createBatcher<string, string>({
    maxBatchSize: 4,
    maxWaiting: 100,
    isShared: (error) => (error as Error).message === "shared",
    run: async (items) => {
      batches.push([...items]);
      await gate;
      for (const item of items) {
        const error = fault(item);
        if (error) throw error;
      }
      return items.map((item) => item.toUpperCase());
    },
    ...options,
  });
  return {
    batcher,
    batches,
    failOn(guilty: string, message = "guilty") {
      fault = (item) => (item === guilty ? new Error(message) : undefined);
    },
    close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}

const turn = () => new Promise(setImmediate);

describe("batcher", () => {
  it("answers a single item without waiting for others", async () => {
    const { batcher, batches } = setup();
    assert.equal(await batcher.submit("a"), "A");
    assert.deepEqual(batches, [["a"]]);
  });

  it("fills the next batch while one is in flight", async () => {
    const { batcher, batches, close } = setup();
    const open = close();
    const first = batcher.submit("a");
    await turn();
    const rest = ["b", "c", "d"].map((item) => batcher.submit(item));
    open();
    assert.deepEqual(await Promise.all([first, ...rest]), ["A", "B", "C", "D"]);
    assert.deepEqual(batches, [["a"], ["b", "c", "d"]]);
  });

  it("keeps batches to their largest size and items in order", async () => {
    const { batcher, batches } = setup({ maxBatchSize: 2 });
    await Promise.all(["a", "b", "c", "d", "e"].map((item) => batcher.submit(item)));
    assert.deepEqual(batches, [["a", "b"], ["c", "d"], ["e"]]);
  });

  it("halves a batch that fails until the failing item is alone", async () => {
    const { batcher, failOn } = setup({ maxBatchSize: 100 });
    failOn("poison");
    const items = Array.from({ length: 100 }, (_, index) =>
      index === 37 ? "poison" : `i${index}`,
    );
    const results = await Promise.allSettled(items.map((item) => batcher.submit(item)));
    const failed = results.flatMap((result, index) =>
      result.status === "rejected" ? [index] : [],
    );
    assert.deepEqual(failed, [37]);
  });

  it("fails the whole batch at once when the error is shared", async () => {
    const { batcher, batches, failOn } = setup();
    failOn("b", "shared");
    const results = await Promise.allSettled(["a", "b", "c"].map((item) => batcher.submit(item)));
    assert.deepEqual(
      results.map(({ status }) => status),
      ["rejected", "rejected", "rejected"],
    );
    assert.equal(batches.length, 1);
  });

  it("serves users in turn when more items wait than fit, and keeps the order of each", async () => {
    const { batcher, batches } = setup({ userOf: ([user]) => user ?? "" });
    const items = ["a1", "a2", "a3", "a4", "a5", "b1", "b2", "c1"];
    await Promise.all(items.map((item) => batcher.submit(item)));
    assert.deepEqual(batches, [
      ["a1", "b1", "c1", "a2"],
      ["b2", "a3", "a4", "a5"],
    ]);
  });

  it("takes users at random if asked to, so that nobody waits behind the same one again", async () => {
    const firsts = new Set<string>();
    for (let round = 0; round < 100 && firsts.size < 3; round += 1) {
      const { batcher, batches } = setup({ userOf: ([user]) => user ?? "", order: "random" });
      await Promise.all(["a1", "b1", "c1", "a2"].map((item) => batcher.submit(item)));
      const order = batches.flat();
      assert.ok(order.indexOf("a1") < order.indexOf("a2"));
      firsts.add(order[0] ?? "");
    }
    assert.equal(firsts.size, 3);
  });

  it("refuses only the user of whom too many wait", async () => {
    const { batcher, close } = setup({ userOf: ([user]) => user ?? "", maxWaitingPerUser: 2 });
    const open = close();
    const first = batcher.submit("a0");
    await turn();
    const waiting = ["a1", "a2", "b1"].map((item) => batcher.submit(item));
    await assert.rejects(batcher.submit("a3"), /^BatcherFullError: 2 items/);
    open();
    await Promise.all([first, ...waiting]);
  });

  it("takes the last place of the user with most items for one who has fewer", async () => {
    const { batcher, close } = setup({ userOf: ([user]) => user ?? "", maxWaiting: 3 });
    const open = close();
    const first = batcher.submit("a0");
    await turn();
    const waiting = ["a1", "a2"].map((item) => batcher.submit(item));
    const last = assert.rejects(batcher.submit("a3"), BatcherFullError);
    const other = batcher.submit("b1");
    await last;
    await assert.rejects(batcher.submit("a4"), BatcherFullError);
    open();
    assert.deepEqual(await Promise.all([first, ...waiting, other]), ["A0", "A1", "A2", "B1"]);
  });

  it("lets nobody take the place of a user who would then have fewer", async () => {
    const { batcher, close } = setup({ userOf: ([user]) => user ?? "", maxWaiting: 2 });
    const open = close();
    const first = batcher.submit("a0");
    await turn();
    const waiting = ["b1", "c1"].map((item) => batcher.submit(item));
    await assert.rejects(batcher.submit("d1"), BatcherFullError);
    open();
    assert.deepEqual(await Promise.all([first, ...waiting]), ["A0", "B1", "C1"]);
  });

  it("leaves out an item whose caller has gone", async () => {
    const { batcher, batches, close } = setup();
    const open = close();
    const first = batcher.submit("a");
    await turn();
    const caller = new AbortController();
    const gone = batcher.submit("b", { signal: caller.signal });
    const last = batcher.submit("c");
    caller.abort(new Error("gone"));
    open();
    await assert.rejects(gone, /gone/);
    await Promise.all([first, last]);
    assert.deepEqual(batches, [["a"], ["c"]]);
  });

  it("refuses an item when too many wait", async () => {
    const { batcher, close } = setup({ maxWaiting: 2 });
    const open = close();
    const first = batcher.submit("a");
    await turn();
    const waiting = [batcher.submit("b"), batcher.submit("c")];
    await assert.rejects(batcher.submit("d"), BatcherFullError);
    open();
    await Promise.all([first, ...waiting]);
  });

  it("rejects every item when the batch returns too few results", async () => {
    const batcher = createBatcher<string, string>({
      maxBatchSize: 2,
      maxWaiting: 2,
      isShared: () => true,
      run: async () => [],
    });
    await assert.rejects(batcher.submit("a"), /1 items returned 0 results/);
  });

  it("lets what waits finish when it is disposed", async () => {
    const { batcher } = setup({ maxBatchSize: 1 });
    const items = ["a", "b", "c"].map((item) => batcher.submit(item));
    await batcher[Symbol.asyncDispose]();
    assert.deepEqual(await Promise.all(items), ["A", "B", "C"]);
  });
});
