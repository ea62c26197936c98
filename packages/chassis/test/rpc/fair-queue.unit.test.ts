import assert from "node:assert/strict";
import { Code, type ConnectError } from "@connectrpc/connect";
import { errorInfoOf } from "../../src/contract/errors.ts";
import { createFairQueue, type FairQueueLimits } from "../../src/rpc/fair-queue.ts";
import { eventually } from "../../src/testing.ts";

/** A queue whose tasks begin when they may and end when the test says so. */
function setup(limits: Partial<FairQueueLimits>) {
  const delays = new Map<string, number>();
  const queue = createFairQueue(
    { maxRunning: 2, maxRunningPerUser: 2, maxWaiting: 100, maxWaitingPerUser: 100, ...limits },
    { delayMs: (user) => delays.get(user) ?? 0 },
  );
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const never = new AbortController().signal;
  return {
    /** The names of the tasks that have begun, in that order. */
    begun,
    /** How long each user has to wait. */
    delays,
    /** Runs a task that is named by its user and a number: `a1` is of the user `a`. */
    run: (name: string, signal = never) =>
      queue.run(name.slice(0, 1), signal, () => {
        begun.push(name);
        const end = Promise.withResolvers<string>();
        ends.set(name, end);
        return end.promise;
      }),
    async end(name: string) {
      ends.get(name)?.resolve(name);
      await new Promise(setImmediate);
    },
    async fail(name: string) {
      ends.get(name)?.reject(new Error(name));
      await new Promise(setImmediate);
    },
  };
}

const isOverloaded = (error: ConnectError) =>
  error.code === Code.ResourceExhausted &&
  errorInfoOf(error)?.reason === "OVERLOADED" &&
  error.metadata.get("retry-after") === "1";

describe("a fair queue", () => {
  it("begins a task at once while there is room, and settles like it", async () => {
    const { run, begun, end, fail } = setup({});
    const one = run("a1");
    const two = run("b1");
    assert.deepEqual(begun, ["a1", "b1"]);
    await end("a1");
    assert.equal(await one, "a1");
    const failed = assert.rejects(two, /b1/);
    await fail("b1");
    await failed;
    void run("a2");
    void run("a3");
    assert.deepEqual(begun.slice(2), ["a2", "a3"]);
  });

  it("lets users take turns, however many tasks each has", async () => {
    const { run, begun, end } = setup({ maxRunning: 1 });
    for (const name of ["a1", "a2", "a3", "a4", "b1", "b2", "c1"]) void run(name);
    for (let ended = 0; ended < 7; ended += 1) await end(begun[ended] ?? "");
    assert.deepEqual(begun, ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
  });

  it("keeps room that one user may not take", async () => {
    const { run, begun, end } = setup({ maxRunning: 3 });
    for (const name of ["a1", "a2", "a3", "a4"]) void run(name);
    assert.deepEqual(begun, ["a1", "a2"]);
    void run("b1");
    assert.deepEqual(begun, ["a1", "a2", "b1"]);
    await end("b1");
    assert.deepEqual(begun, ["a1", "a2", "b1"]);
    await end("a1");
    assert.deepEqual(begun, ["a1", "a2", "b1", "a3"]);
  });

  it("refuses what exceeds the waiting tasks of a user or of all, and later takes more", async () => {
    const { run, begun, end } = setup({ maxRunning: 1, maxWaiting: 3, maxWaitingPerUser: 2 });
    for (const name of ["a1", "a2", "a3"]) void run(name);
    await assert.rejects(run("a4"), isOverloaded);
    void run("b1");
    await assert.rejects(run("a5"), isOverloaded);
    await end("a1");
    void run("c2");
    for (const name of ["a2", "b1", "a3", "c2"]) await end(name);
    assert.deepEqual(begun, ["a1", "a2", "b1", "a3", "c2"]);
  });

  it("takes the last place of the user with most tasks for one who has fewer", async () => {
    const { run, begun, end } = setup({ maxRunning: 1, maxWaiting: 3 });
    for (const name of ["a1", "a2", "a3"]) void run(name);
    const last = assert.rejects(run("a4"), isOverloaded);
    const first = run("b1");
    await last;
    await assert.rejects(run("a5"), isOverloaded);
    for (const name of ["a1", "a2", "b1", "a3"]) await end(name);
    assert.equal(await first, "b1");
    assert.deepEqual(begun, ["a1", "a2", "b1", "a3"]);
  });

  it("lets nobody take the place of a user who would then have fewer", async () => {
    const { run, begun, end } = setup({ maxRunning: 1, maxWaiting: 2 });
    for (const name of ["a1", "b1", "c1"]) void run(name);
    await assert.rejects(run("d1"), isOverloaded);
    for (const name of ["a1", "b1", "c1"]) await end(name);
    assert.deepEqual(begun, ["a1", "b1", "c1"]);
  });

  it("forgets a task whose signal aborts before its turn, and gives its place to another", async () => {
    const { run, begun, end } = setup({ maxRunning: 1, maxWaiting: 2 });
    void run("a1");
    const left = new AbortController();
    const gone = new Error("gone");
    const leaving = Promise.all(
      ["a2", "b1"].map((name) => assert.rejects(run(name, left.signal), gone)),
    );
    await assert.rejects(run("a3"), isOverloaded);
    left.abort(gone);
    await leaving;
    void run("a4");
    void run("b2");
    for (const name of ["a1", "a4", "b2"]) await end(name);
    assert.deepEqual(begun, ["a1", "a4", "b2"]);
  });

  it("lets a user wait whom the pace delays, and others go first", async () => {
    const { run, begun, delays, end } = setup({ maxRunning: 1 });
    delays.set("a", 20);
    const delayed = run("a1");
    void run("b1");
    assert.deepEqual(begun, ["b1"]);
    await end("b1");
    assert.deepEqual(begun, ["b1"]);
    delays.delete("a");
    await eventually("the delay is over", () => begun.length === 2 || undefined);
    await end("a1");
    assert.equal(await delayed, "a1");
    const left = new AbortController();
    delays.set("a", 20);
    const gone = assert.rejects(run("a2", left.signal));
    left.abort();
    await gone;
    delays.delete("a");
    void run("a3");
    assert.deepEqual(begun, ["b1", "a1", "a3"]);
  });

  it("lets a task that has begun end, even if its signal aborts", async () => {
    const { run, begun, end } = setup({ maxRunning: 1 });
    const left = new AbortController();
    const one = run("a1", left.signal);
    void run("b1");
    left.abort(new Error("gone"));
    await new Promise(setImmediate);
    assert.deepEqual(begun, ["a1"]);
    await end("a1");
    assert.equal(await one, "a1");
    assert.deepEqual(begun, ["a1", "b1"]);
  });
});
