import type { FeedState } from "./feed-state.ts";

/** A state of an item; later states have larger revisions. */
export type Change = { readonly id: string; readonly revision: bigint };

/** The messages between tabs. */
export type FeedMessage<C extends Change> =
  /** From the tab that watches: all changes above `after`, up to `revision`. */
  | { kind: "changes"; after: bigint; revision: bigint; changes: readonly C[] }
  | { kind: "state"; state: FeedState }
  /** To the tab that watches: a request for its state. */
  | { kind: "hello" }
  | { kind: "retry" }
  /** To all tabs: money has moved without an order. */
  | { kind: "deposited" };

/** An item of the watch. */
export type WatchItem<C extends Change> = {
  /** Absent for a heartbeat, which says that all changes up to `revision` were delivered. */
  readonly change?: C;
  readonly revision: bigint;
};

/** The dependencies of a feed. */
export type FeedMeans<C extends Change> = {
  /** Runs `work` in one tab at a time; rejects if the signal aborts before this tab's turn. */
  takeLead(signal: AbortSignal, work: () => Promise<void>): Promise<void>;
  readonly channel: {
    post(message: FeedMessage<C>): void;
    onMessage(hear: (message: FeedMessage<C>) => void): void;
    close(): void;
  };
  /** Loads the initial data, and returns the revision up to which it is complete. */
  readBase(): Promise<bigint>;
  /** Yields all changes above `afterRevision` and then new ones. Reconnects by itself. */
  watch(options: {
    readonly afterRevision: bigint;
    readonly signal: AbortSignal;
    readonly onCut: (delayMs: number) => void;
  }): AsyncIterable<WatchItem<C>>;
  /** Returns why this error is permanent; undefined if a retry may help. */
  endOf(error: unknown): "session" | "refused" | undefined;
  nowMs(): number;
  /** Resolves after `delayMs`, or as soon as the signal aborts. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
  /** Runs `run` in a later task, without a timer: timers are slow in hidden tabs. */
  soon(run: () => void): void;
};
