import assert from "node:assert/strict";
import { eventually } from "../../src/testing.ts";
import { UserLockedError } from "../../src/writes/aside.ts";
import { createBatcher } from "../../src/writes/batcher.ts";

class Locked extends Error {}

/** A batcher whose items are `user` or `user:number`, over users and items that the test locks. */
function setup(options: { readonly seesUsers?: boolean; readonly maxWaiting?: number } = {}) {
  const { seesUsers = true, maxWaiting = 1_000 } = options;
  const batches: { readonly items: readonly string[]; readonly isBrief: boolean }[] = [];
  const locked = new Set<string>();
  const userOf = (item: string) => item.split(":")[0] ?? "";
  let poison: string | undefined;
  const batcher = createBatcher<string, string>({
    maxBatchSize: 128,
    maxWaiting,
    userOf,
    isShared: () => false,
    async run(items, isBrief) {
      batches.push({ items, isBrief });
      await new Promise(setImmediate);
      if (items.some((item) => locked.has(item) || locked.has(userOf(item)))) throw new Locked();
      if (items.some((item) => item === poison)) throw new Error("poison");
      return items.map((item) => item.toUpperCase());
    },
    locks: {
      isLocked: (error) => error instanceof Locked,
      findLocked: async (users) => (seesUsers ? users.filter((user) => locked.has(user)) : []),
    },
  });
  return {
    batcher,
    batches,
    locked,
    submit: (items: readonly string[], timeoutMs?: number) => {
      const endMs = performance.now() + (timeoutMs ?? 0);
      const options = timeoutMs === undefined ? {} : { timeoutMs: () => endMs - performance.now() };
      return items.map((item) => batcher.submit(item, options));
    },
    poison(item: string) {
      poison = item;
    },
  };
}

const others = Array.from({ length: 127 }, (_, nth) => `user-${nth}`);
const upper = (items: readonly string[]) => items.map((item) => item.toUpperCase());

describe("locked users", () => {
  it("are found in one look; the others go on at once", async () => {
    const { locked, submit, batches, batcher } = setup();
    locked.add("busy");
    const [busy] = submit(["busy"], 60_000);
    assert.deepEqual(await Promise.all(submit(others)), upper(others));
    assert.deepEqual(
      batches.slice(0, 2).map(({ items }) => items.length),
      [128, 127],
    );
    locked.clear();
    assert.equal(await busy, "BUSY");
    await batcher[Symbol.asyncDispose]();
  });

  it("wait once more if several are named, as some are locked only for a moment", async () => {
    const { locked, submit, batches } = setup();
    locked.add("busy").add("brief");
    const both = submit(["busy", "brief"], 60_000);
    const rest = submit(others);
    await Promise.all(rest);
    locked.delete("brief");
    assert.equal(await both[1], "BRIEF");
    assert.deepEqual(
      batches.slice(0, 4).map(({ items }) => items.length),
      [129 - 1, 126, 2, 1],
    );
    locked.clear();
    assert.equal(await both[0], "BUSY");
  });

  it("are found by halving with brief waits if the lock is on another row", async () => {
    const { locked, submit, batches } = setup({ seesUsers: false });
    locked.add("busy:1");
    const own = submit(["busy:1", "busy:2"], 60_000);
    assert.deepEqual(await Promise.all(submit(others)), upper(others));
    const search = batches.filter(({ isBrief }) => isBrief);
    assert.ok(search.length <= 14, `${search.length} batches`);
    // The user's other item does not stay behind the locked one.
    assert.equal(await own[1], "BUSY:2");
    locked.clear();
    assert.equal(await own[0], "BUSY:1");
  });

  it("are not tried together with others again, with all that waits or comes for them", async () => {
    const { locked, submit, batches } = setup();
    locked.add("busy");
    const early = submit(["busy:1", ...others.slice(0, 60), "busy:2"], 60_000);
    await Promise.all(early.slice(1, -1));
    const late = submit(["busy:3", ...others], 60_000);
    await Promise.all(late.slice(1));
    const mixed = batches.slice(1).filter(({ items }) => {
      const busy = items.filter((item) => item.startsWith("busy"));
      return busy.length > 0 && busy.length < items.length;
    });
    assert.deepEqual(mixed, []);
    locked.clear();
    await Promise.all([early[0], early.at(-1), late[0]]);
  });

  it("are rejected before their deadline, or at once if their items have none", async () => {
    const { locked, submit, batches, batcher } = setup();
    locked.add("busy");
    let leftMs = 60_000;
    const withDeadline = batcher.submit("busy:1", { timeoutMs: () => leftMs });
    const [first, second] = submit(["busy:2", "busy:3"]);
    const words = /^UserLockedError: the data of user busy is locked by another transaction/;
    await assert.rejects(first ?? assert.fail(), words);
    await assert.rejects(second ?? assert.fail(), UserLockedError);
    const tried = batches.length;
    await eventually("it is tried again", () => batches.length > tried + 1 || undefined);
    leftMs = 400;
    await assert.rejects(withDeadline, words);
  });

  it("have an item tried whose deadline is near, as soon as the next try is due", async () => {
    const { locked, submit } = setup();
    locked.add("busy");
    await Promise.all(submit(["busy"]).map((item) => assert.rejects(item, UserLockedError)));
    locked.clear();
    const beginMs = performance.now();
    const answer = await eventually("it is tried", async () => {
      const [item] = submit(["busy"], 500);
      return await item?.catch(() => undefined);
    });
    assert.equal(answer, "BUSY");
    // Later, the user would no longer be known.
    assert.ok(performance.now() - beginMs < 5_000);
  });

  it("share batches with others again soon after a try that succeeded", async () => {
    const { locked, submit, batches } = setup();
    locked.add("busy");
    const items = submit(["busy", "other"], 60_000);
    await items[1];
    locked.clear();
    await items[0];
    const beginMs = performance.now();
    await eventually("they share a batch", async () => {
      await Promise.all(submit(["busy", "other"]));
      return batches.at(-1)?.items.length === 2 || undefined;
    });
    assert.ok(performance.now() - beginMs < 5_000);
  });

  it("leave the places of those who wait to others", async () => {
    const { locked, submit } = setup();
    locked.add("busy");
    const fill = (count: number) => Promise.allSettled(submit(Array(count).fill("busy"), 1_500));
    const held = fill(1_000);
    await Promise.all(submit(others));
    const again = fill(others.length);
    assert.deepEqual(await Promise.all(submit(others)), upper(others));
    locked.clear();
    await Promise.all([held, again]);
  });

  it("have no more items waiting than others may have", async () => {
    const { locked, submit, batcher } = setup({ maxWaiting: 10 });
    locked.add("busy").add("hung");
    const outcomes = (items: readonly string[]) =>
      submit(items, 60_000).map((item) => item.catch((error: Error) => error.name));
    const busy = outcomes(Array(9).fill("busy"));
    await Promise.all(submit(["other"]));
    const hung = outcomes(Array(9).fill("hung"));
    assert.equal(await Promise.race(hung), "UserLockedError");
    await batcher[Symbol.asyncDispose]();
    await Promise.all([...busy, ...hung]);
  });

  it("stay known after a try that had no effect", async () => {
    const { locked, submit, batches, poison } = setup();
    locked.add("busy");
    poison("busy:bad");
    await assert.rejects(submit(["busy"])[0] ?? assert.fail(), UserLockedError);
    await eventually("the next try is due, and fails for another reason", async () => {
      locked.clear();
      const [item] = submit(["busy:bad"]);
      const reason: unknown = await item?.catch((error: unknown) => error);
      locked.add("busy");
      return (reason as Error).message === "poison" || undefined;
    });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const before = batches.length;
    await Promise.allSettled(submit(["busy", "other"]));
    const mixed = batches.slice(before).filter(({ items }) => items.length > 1);
    assert.deepEqual(mixed, []);
  });

  it("reject all that waits when the batcher is disposed", async () => {
    const { locked, submit, batcher } = setup();
    locked.add("busy");
    const items = submit(["busy:1", "busy:2"], 60_000);
    const settled = Promise.allSettled(items);
    await batcher[Symbol.asyncDispose]();
    assert.ok((await settled).every(({ status }) => status === "rejected"));
  });

  it("have their own poison isolated", async () => {
    const { locked, submit, poison } = setup();
    locked.add("busy");
    poison("busy:2");
    const items = submit(["busy:1", "busy:2", "busy:3", "other"], 60_000);
    const settled = Promise.allSettled(items);
    await items.at(-1);
    locked.clear();
    assert.deepEqual(
      (await settled).map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "fulfilled"],
    );
  });

  it("do not hold the others when there are many of them", async () => {
    const { locked, submit, batches } = setup();
    const busy = others.slice(0, 100);
    for (const user of busy) locked.add(user);
    const held = Promise.allSettled(submit(busy));
    await Promise.all(submit(others.slice(100)));
    assert.ok((await held).every(({ status }) => status === "rejected"));
    assert.ok(batches.length <= 4, `${batches.length} batches`);
  });
});
