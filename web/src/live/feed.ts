import { lead } from "./lead.ts";
import { createTab, hear } from "./tab.ts";

/** A state of something, of which a later one has a larger revision. */
export type Change = { readonly id: string; readonly revision: bigint };

/** How current what is shown is. */
export type FeedState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Cut; tried again at `untilMs` (since 1970). */
  | { readonly kind: "reconnecting"; readonly untilMs: number }
  /** Nothing more comes: only signing in again helps, or nothing does. */
  | { readonly kind: "ended"; readonly why: "session" | "refused" };

/** What tabs tell each other. */
export type FeedMessage<C extends Change> =
  /** From the one that watches: everything above `after`, up to `revision`. */
  | { kind: "changes"; after: bigint; revision: bigint; changes: readonly C[] }
  | { kind: "state"; state: FeedState }
  /** To the one that watches: say how it stands. */
  | { kind: "hello" }
  | { kind: "retry" }
  /** To all: money has moved without an order. */
  | { kind: "deposited" };

/** What the watch brings. */
export type WatchItem<C extends Change> = {
  /** Absent for a heartbeat, which says that everything up to `revision` has been brought. */
  readonly change?: C;
  readonly revision: bigint;
};

/** What a feed is made with. */
export type FeedMeans<C extends Change> = {
  /** Runs `work` while no other tab does; rejects when the signal aborts before its turn. */
  takeLead(signal: AbortSignal, work: () => Promise<void>): Promise<void>;
  readonly channel: {
    post(message: FeedMessage<C>): void;
    onMessage(hear: (message: FeedMessage<C>) => void): void;
    close(): void;
  };
  /** Reads what is shown first, and says up to which revision it is current. */
  readBase(): Promise<bigint>;
  /** Everything above `afterRevision`, and then what changes. Outlives its connections. */
  watch(options: {
    readonly afterRevision: bigint;
    readonly signal: AbortSignal;
    readonly onCut: (delayMs: number) => void;
  }): AsyncIterable<WatchItem<C>>;
  /** Why nothing more can come after this error; undefined if trying again may help. */
  endOf(error: unknown): "session" | "refused" | undefined;
  nowMs(): number;
  /** Resolves after `delayMs`, or at once when the signal aborts. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
  /** Runs `run` after what is happening now, without a timer: hidden tabs have slow ones. */
  soon(run: () => void): void;
};

/** What a feed tells its tab. */
export type FeedListener<C extends Change> = {
  onChanges?(changes: readonly C[]): void;
  onState?(state: FeedState): void;
  /** Some changes may have been missed: what is shown has to be read again. */
  onGap?(): void;
  onDeposited?(): void;
};

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
