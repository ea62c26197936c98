import type { Change, FeedMeans } from "./feed-means.ts";
import type { FeedState } from "./feed-state.ts";
import { lead } from "./lead.ts";
import { createTab, type FeedListener, hear } from "./tab.ts";

/** The changes of one user's orders, by one watch for all tabs of this browser. */
export type Feed<C extends Change> = Disposable & {
  readonly state: FeedState;
  /** Up to where this tab has heard everything. */
  readonly revision: bigint;
  /** Resolves when the base has been read: what is read later misses nothing. */
  readonly based: Promise<void>;
  listen(listener: FeedListener<C>): () => void;
  /** Ends a pause before a retry, in whichever tab it is. */
  retryNow(): void;
  /** Tells all tabs, this one too, that money has moved without an order. */
  deposited(): void;
};

/**
 * Starts a feed. One tab leads: it watches, and tells the others by the channel; when it is closed,
 * another one goes on from the last revision that it has heard of. Disposing ends it in this tab.
 *
 * Nothing is missed: a tab listens to the channel before it reads its base, and the leader had read
 * all that it told until then from an earlier state than that base.
 */
export function createFeed<C extends Change>(means: FeedMeans<C>): Feed<C> {
  const stop = new AbortController();
  const tab = createTab(means, stop.signal);
  means.channel.onMessage((message) => hear(tab, message));
  lead(tab).catch(() => {
    // Its turn to lead did not come before it was stopped.
  });
  return {
    get state() {
      return tab.state;
    },
    get revision() {
      return tab.revision;
    },
    based: tab.based.promise,
    listen(listener) {
      tab.listeners.add(listener);
      return () => tab.listeners.delete(listener);
    },
    retryNow() {
      tab.wake.abort();
      means.channel.post({ kind: "retry" });
    },
    deposited() {
      means.channel.post({ kind: "deposited" });
      for (const listener of tab.listeners) listener.onDeposited?.();
    },
    [Symbol.dispose]() {
      stop.abort();
      means.channel.close();
    },
  };
}
