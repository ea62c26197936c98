import assert from "node:assert/strict";
import { BatcherFullError, createBatcher } from "../../src/writes/batcher.ts";

/** Runs batches one by one as the test lets them: each waits for its gate. */
function setup(options: { maxBatchSize?: number; maxWaiting?: number } = {}) {
  const batches: string[][] = [];
  let fault: (item: string) => Error | undefined = () => undefined;
  let gate: Promise<void> = Promise.resolve();
  const batcher = createBatcher<string, string>({
    maxBatchSize: options.maxBatchSize ?? 4,
    maxWaiting: options.maxWaiting ?? 100,
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

  it("runs an item that must be alone in a batch of one, in its place", async () => {
    const { batcher, batches } = setup();
    await Promise.all([
      batcher.submit("a"),
      batcher.submit("b", { alone: true }),
      batcher.submit("c"),
      batcher.submit("d"),
    ]);
    assert.deepEqual(batches, [["a"], ["b"], ["c", "d"]]);
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
