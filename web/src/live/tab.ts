import type { Change, FeedMeans, FeedMessage } from "./feed-means.ts";
import type { FeedState } from "./feed-state.ts";

/** What a feed tells its tab. */
export type FeedListener<C extends Change> = {
  onChanges?(changes: readonly C[]): void;
  onState?(state: FeedState): void;
  /** Some changes may have been missed: what is shown has to be read again. */
  onGap?(): void;
  onDeposited?(): void;
};

/** Where one tab's part of a feed stands. */
export type Tab<C extends Change> = {
  readonly means: FeedMeans<C>;
  readonly listeners: Set<FeedListener<C>>;
  /** Aborts when the tab is through with it. */
  readonly stopped: AbortSignal;
  /** Resolves when the base has been read. */
  readonly based: PromiseWithResolvers<void>;
  isBased: boolean;
  isLeading: boolean;
  state: FeedState;
  /** Up to where everything has been heard. */
  revision: bigint;
  /** Aborting it ends a pause, or the watch that may be in one. */
  wake: AbortController;
};

/** A tab that has heard nothing yet. */
export function createTab<C extends Change>(means: FeedMeans<C>, stopped: AbortSignal): Tab<C> {
  return {
    means,
    stopped,
    listeners: new Set(),
    based: Promise.withResolvers(),
    isBased: false,
    isLeading: false,
    state: { kind: "connecting" },
    revision: 0n,
    wake: new AbortController(),
  };
}

/** Takes on a state and says so: to this tab, and to the others if this one leads. */
export function setState<C extends Change>(tab: Tab<C>, state: FeedState): void {
  if (tab.stopped.aborted) return;
  tab.state = state;
  for (const listener of tab.listeners) listener.onState?.(state);
  // An end is this tab's own: another one goes on, with a token of its own.
  if (tab.isLeading && state.kind !== "ended") tab.means.channel.post({ kind: "state", state });
}

/** Tells this tab of changes, and all others what is above `after`. */
export function bring<C extends Change>(
  tab: Tab<C>,
  changes: readonly C[],
  after: bigint,
  revision: bigint,
): void {
  if (tab.stopped.aborted) return;
  tab.means.channel.post({ kind: "changes", after, revision, changes });
  tell(tab, changes, revision);
}

/** Hears what another tab tells. */
export function hear<C extends Change>(tab: Tab<C>, message: FeedMessage<C>): void {
  const { listeners, means } = tab;
  switch (message.kind) {
    case "hello":
      if (tab.isLeading) means.channel.post({ kind: "state", state: tab.state });
      return;
    case "retry":
      tab.wake.abort();
      return;
    case "deposited":
      for (const listener of listeners) listener.onDeposited?.();
      return;
    case "state":
      if (!tab.isLeading && tab.isBased && tab.state.kind !== "ended") setState(tab, message.state);
      return;
    case "changes": {
      const hasMissed = tab.isBased && message.after > tab.revision;
      tell(tab, message.changes, message.revision);
      if (hasMissed) for (const listener of listeners) listener.onGap?.();
    }
  }
}

function tell<C extends Change>(tab: Tab<C>, changes: readonly C[], revision: bigint): void {
  if (revision > tab.revision) tab.revision = revision;
  if (changes.length === 0) return;
  for (const listener of tab.listeners) listener.onChanges?.(changes);
}
