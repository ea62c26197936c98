import type { Change, FeedMeans, FeedMessage } from "./feed-means.ts";
import type { FeedState } from "./feed-state.ts";

/** The events of a feed in its tab. */
export type FeedListener<C extends Change> = {
  onChanges?(changes: readonly C[]): void;
  onState?(state: FeedState): void;
  /** Some changes may have been missed: the displayed data must be loaded again. */
  onGap?(): void;
  onDeposited?(): void;
};

/** The state of a feed in one tab. */
export type Tab<C extends Change> = {
  readonly means: FeedMeans<C>;
  readonly listeners: Set<FeedListener<C>>;
  /** Aborts when the feed ends in this tab. */
  readonly stopped: AbortSignal;
  /** Resolves when the base is loaded. */
  readonly based: PromiseWithResolvers<void>;
  isBased: boolean;
  isLeading: boolean;
  state: FeedState;
  /** The revision up to which all changes were received. */
  revision: bigint;
  /** Aborting it ends a pause, or a watch that may be pausing. */
  wake: AbortController;
};

/** Creates the initial state of a tab. */
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

/** Sets the state and reports it to this tab, and to the others if this one leads. */
export function setState<C extends Change>(tab: Tab<C>, state: FeedState): void {
  if (tab.stopped.aborted) return;
  tab.state = state;
  for (const listener of tab.listeners) listener.onState?.(state);
  // Only this tab ends: another one continues with its own token.
  if (tab.isLeading && state.kind !== "ended") tab.means.channel.post({ kind: "state", state });
}

/** Delivers changes to this tab, and those above `after` to all others. */
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

/** Lets this tab load what it displays, and the others too if they have not received `revision`. */
export function reread<C extends Change>(tab: Tab<C>, revision: bigint): void {
  tab.means.channel.post({ kind: "changes", after: revision, revision, changes: [] });
  for (const listener of tab.listeners) listener.onGap?.();
}

/** Handles a message of another tab. */
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
