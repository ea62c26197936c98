import assert from "node:assert/strict";
import { createFeed } from "../src/live/feed.ts";
import type { Change, FeedMessage, WatchItem } from "../src/live/feed-means.ts";
import { rereadMs } from "../src/live/lead.ts";

type Watching = {
  readonly afterRevision: bigint;
  readonly signal: AbortSignal;
  onCut(delayMs: number): void;
  bring(item: WatchItem<Change>): void;
  fail(error: Error): void;
};

/** A browser: one lock, one channel, and a server whose watches the test controls. */
function createBrowser() {
  const tabs = new Set<(message: FeedMessage<Change>) => void>();
  const watches: Watching[] = [];
  let lock: Promise<unknown> = Promise.resolve();
  let nowMs = 1_000;
  const rereads: (() => void)[] = [];
  return {
    watches,
    /** Lets the pause between two reads end in every tab. */
    async rereadNow() {
      for (const end of rereads.splice(0)) end();
      await turn();
    },
    elapse(ms: number) {
      nowMs += ms;
    },
    openTab(options: { base?: bigint; readBase?: () => Promise<bigint> } = {}) {
      let hear: (message: FeedMessage<Change>) => void = () => {};
      const listen = (message: FeedMessage<Change>) => hear(message);
      tabs.add(listen);
      const feed = createFeed<Change>({
        takeLead(signal, work) {
          const turn = lock.then(() => {
            if (!signal.aborted) return work();
          });
          lock = turn.catch(() => {});
          return turn;
        },
        channel: {
          post(message) {
            for (const other of tabs) if (other !== listen) other(structuredClone(message));
          },
          onMessage(to) {
            hear = to;
          },
          close: () => tabs.delete(listen),
        },
        readBase: options.readBase ?? (async () => options.base ?? 0n),
        watch: ({ afterRevision, signal, onCut }) => watchBy(watches, afterRevision, signal, onCut),
        endOf: (error) => (String(error).includes("session") ? "session" : undefined),
        nowMs: () => nowMs,
        pause: (ms, signal) =>
          new Promise((resolve) => {
            if (signal.aborted) resolve();
            if (ms === rereadMs) rereads.push(resolve);
            signal.addEventListener("abort", () => resolve());
          }),
        soon: (run) => queueMicrotask(run),
      });
      const heard: string[] = [];
      feed.listen({
        onChanges: (changes) =>
          heard.push(...changes.map(({ id, revision }) => `${id}${revision}`)),
        onGap: () => heard.push("gap"),
        onDeposited: () => heard.push("deposited"),
      });
      return { feed, heard };
    },
  };
}

async function* watchBy(
  watches: Watching[],
  afterRevision: bigint,
  signal: AbortSignal,
  onCut: (delayMs: number) => void,
): AsyncGenerator<WatchItem<Change>> {
  const items: (WatchItem<Change> | Error)[] = [];
  let wake = () => {};
  const put = (item: WatchItem<Change> | Error) => {
    items.push(item);
    wake();
  };
  watches.push({ afterRevision, signal, onCut, bring: put, fail: put });
  signal.addEventListener("abort", () => wake());
  while (!signal.aborted) {
    const item = items.shift();
    if (item instanceof Error) throw item;
    if (item) yield item;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}

const turn = () => new Promise(setImmediate);
const change = (id: string, revision: bigint) => ({ change: { id, revision }, revision });

describe("the feed", () => {
  it("opens one watch for all tabs, from the base revision", async () => {
    const browser = createBrowser();
    const a = browser.openTab({ base: 5n });
    const b = browser.openTab({ base: 5n });
    await turn();
    assert.equal(browser.watches.length, 1);
    assert.equal(browser.watches[0]?.afterRevision, 5n);
    browser.watches[0]?.bring(change("x", 6n));
    browser.watches[0]?.bring({ revision: 6n });
    await turn();
    assert.deepEqual([a.heard, b.heard], [["x6"], ["x6"]]);
    assert.deepEqual([a.feed.state.kind, b.feed.state.kind], ["live", "live"]);
    assert.equal(b.feed.revision, 6n);
  });

  it("reads again while its watch brings nothing, and says so, until it brings something", async () => {
    const browser = createBrowser();
    let base = 5n;
    const readBase = async () => base;
    const a = browser.openTab({ readBase });
    const b = browser.openTab({ readBase });
    await turn();
    assert.equal(a.feed.state.kind, "connecting");
    base = 6n;
    await browser.rereadNow();
    assert.deepEqual([a.feed.state.kind, b.feed.state.kind], ["polling", "polling"]);
    assert.deepEqual([a.heard, b.heard], [["gap"], ["gap"]]);
    await browser.rereadNow();
    assert.deepEqual(b.heard, ["gap"], "it has nothing to load again");
    browser.watches[0]?.bring({ revision: 6n });
    await turn();
    assert.deepEqual([a.feed.state.kind, b.feed.state.kind], ["live", "live"]);
    const { length } = a.heard;
    await browser.rereadNow();
    assert.equal(a.heard.length, length);
  });

  it("does not say that it reads again while calls fail too", async () => {
    const browser = createBrowser();
    let reads = 0;
    const { feed, heard } = browser.openTab({
      async readBase() {
        reads += 1;
        if (reads > 1) throw new Error("unavailable");
        return 0n;
      },
    });
    await turn();
    await browser.rereadNow();
    assert.equal(reads, 2);
    assert.equal(feed.state.kind, "connecting");
    assert.deepEqual(heard, []);
  });

  it("fails over at the last revision when the leading tab is closed", async () => {
    const browser = createBrowser();
    const a = browser.openTab();
    const b = browser.openTab();
    await turn();
    browser.watches[0]?.bring(change("x", 3n));
    await turn();
    a.feed[Symbol.dispose]();
    await turn();
    assert.equal(browser.watches[0]?.signal.aborted, true);
    assert.equal(browser.watches[1]?.afterRevision, 3n);
    browser.watches[1]?.bring(change("y", 4n));
    await turn();
    assert.deepEqual([a.heard, b.heard], [["x3"], ["x3", "y4"]]);
  });

  it("sends its state to a tab that opens later", async () => {
    const browser = createBrowser();
    browser.openTab();
    await turn();
    browser.watches[0]?.bring({ revision: 0n });
    await turn();
    const late = browser.openTab();
    assert.equal(late.feed.state.kind, "connecting");
    await turn();
    assert.equal(late.feed.state.kind, "live");
  });

  it("reports a gap to a tab that has missed changes", async () => {
    const browser = createBrowser();
    browser.openTab({ base: 9n });
    await turn();
    const late = browser.openTab({ base: 7n });
    await turn();
    browser.watches[0]?.bring(change("x", 10n));
    await turn();
    assert.deepEqual(late.heard, ["x10", "gap"]);
  });

  it("reports the time of the next attempt, and retries at once when any tab requests it", async () => {
    const browser = createBrowser();
    const a = browser.openTab();
    const b = browser.openTab();
    await turn();
    browser.watches[0]?.bring(change("x", 2n));
    await turn();
    browser.watches[0]?.onCut(4_000);
    assert.deepEqual(b.feed.state, { kind: "reconnecting", untilMs: 5_000 });
    b.feed.retryNow();
    await turn();
    assert.equal(browser.watches.length, 2);
    assert.equal(browser.watches[1]?.afterRevision, 2n);
    browser.watches[1]?.bring({ revision: 2n });
    await turn();
    assert.deepEqual([a.feed.state.kind, b.feed.state.kind], ["live", "live"]);
  });

  it("waits for a base revision that cannot be read yet", async () => {
    let tries = 0;
    const { feed } = createBrowser().openTab({
      readBase: async () => {
        tries += 1;
        if (tries === 1) throw new Error("unreachable");
        return 1n;
      },
    });
    await turn();
    assert.deepEqual(feed.state, { kind: "reconnecting", untilMs: 2_000 });
    feed.retryNow();
    await feed.based;
    assert.equal(feed.revision, 1n);
  });

  it("backs off after each failure, but not after a long watch", async () => {
    const browser = createBrowser();
    const { feed } = browser.openTab();
    await turn();
    const failLast = async () => {
      browser.watches.at(-1)?.fail(new Error("gone"));
      await turn();
      const { state } = feed;
      feed.retryNow();
      await turn();
      return state;
    };
    assert.deepEqual(await failLast(), { kind: "reconnecting", untilMs: 2_000 });
    assert.deepEqual(await failLast(), { kind: "reconnecting", untilMs: 3_000 });
    browser.elapse(31_000);
    assert.deepEqual(await failLast(), { kind: "reconnecting", untilMs: 33_000 });
    assert.deepEqual(await failLast(), { kind: "reconnecting", untilMs: 34_000 });
  });

  it("ends in the tab whose session has ended, and continues in another", async () => {
    const browser = createBrowser();
    const a = browser.openTab();
    const b = browser.openTab();
    const states: string[] = [];
    b.feed.listen({ onState: ({ kind }) => states.push(kind) });
    await turn();
    browser.watches[0]?.fail(new Error("the session has ended"));
    await turn();
    assert.deepEqual(a.feed.state, { kind: "ended", why: "session" });
    assert.equal(browser.watches.length, 2);
    browser.watches[1]?.bring({ revision: 0n });
    await turn();
    const late = browser.openTab();
    await turn();
    assert.deepEqual(
      [a, b, late].map(({ feed }) => feed.state.kind),
      ["ended", "live", "live"],
    );
    assert.ok(!states.includes("ended"), `${states}`);
  });

  it("informs every tab of a deposit", async () => {
    const browser = createBrowser();
    const a = browser.openTab();
    const b = browser.openTab();
    a.feed.deposited();
    assert.deepEqual([a.heard, b.heard], [["deposited"], ["deposited"]]);
  });
});
