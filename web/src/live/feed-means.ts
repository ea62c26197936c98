import type { FeedState } from "./feed-state.ts";

/** A state of something, of which a later one has a larger revision. */
export type Change = { readonly id: string; readonly revision: bigint };

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
