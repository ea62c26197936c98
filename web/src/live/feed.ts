import type { Change, FeedMeans } from "./feed-means.ts";
import type { FeedState } from "./feed-state.ts";
import { lead } from "./lead.ts";
import { createTab, type FeedListener, hear } from "./tab.ts";

/** The changes of a user's orders, through one watch for all tabs of this browser. */
export type Feed<C extends Change> = Disposable & {
  readonly state: FeedState;
  /** The revision up to which this tab has received all changes. */
  readonly revision: bigint;
  /** Resolves when the base is loaded: data that is loaded later misses no change. */
  readonly based: Promise<void>;
  listen(listener: FeedListener<C>): () => void;
  /** Ends a pause before a retry, in any tab. */
  retryNow(): void;
  /** Informs all tabs, including this one, that money has moved without an order. */
  deposited(): void;
};

/**
 * Starts a feed. One tab leads: it watches and forwards changes to the others over the channel.
 * When it is closed, another tab takes over from the last revision that it has received. Disposing
 * the feed ends it in this tab.
 *
 * No change is missed: a tab listens to the channel before it loads its base, and what the leader
 * sent before that is older than the base.
 */
export function createFeed<C extends Change>(means: FeedMeans<C>): Feed<C> {
  const stop = new AbortController();
  const tab = createTab(means, stop.signal);
  means.channel.onMessage((message) => hear(tab, message));
  lead(tab).catch(() => {
    // It was stopped before its turn to lead.
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
