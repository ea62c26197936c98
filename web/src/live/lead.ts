import type { Change, FeedMeans, FeedState } from "./feed.ts";

const firstDelayMs = 1_000;
const longestDelayMs = 30_000;

/** How a feed waits before it tries again. */
type Retrying = {
  state(state: FeedState): void;
  pause(delayMs: number): Promise<void>;
  readonly woken: AbortSignal;
  renew(): void;
};

type Leading<C extends Change> = {
  readonly means: FeedMeans<C>;
  readonly signal: AbortSignal;
  readonly retrying: Retrying;
  revision(): bigint;
  based(revision: bigint): void;
  leads(now: boolean): void;
  brought(changes: readonly C[], after: bigint, upTo: bigint): void;
};

/**
 * The course of one tab's feed: reads the base, waits for its turn to lead, and then watches until the
 * signal aborts or nothing more can come.
 */
export async function lead<C extends Change>(leading: Leading<C>): Promise<void> {
  const { means, signal } = leading;
  const isBased = await persist(leading, async () => leading.based(await means.readBase()));
  if (!isBased) return;
  await means.takeLead(signal, async () => {
    leading.leads(true);
    leading.retrying.state({ kind: "connecting" });
    await persist(leading, () => watchOn(leading));
    leading.leads(false);
  });
}

/** Tries until it succeeds; answers whether it has, or there is no sense in it any more. */
async function persist<C extends Change>(
  { means, signal, retrying }: Leading<C>,
  attempt: () => Promise<void>,
): Promise<boolean> {
  for (
    let delayMs = firstDelayMs;
    !signal.aborted;
    delayMs = Math.min(longestDelayMs, delayMs * 2)
  ) {
    try {
      await attempt();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const why = means.endOf(error);
      if (why !== undefined) {
        retrying.state({ kind: "ended", why });
        return false;
      }
      await retrying.pause(delayMs);
      if (!signal.aborted) retrying.state({ kind: "connecting" });
    }
  }
  return false;
}

/** Watches until the signal aborts; throws what the watch cannot go on after. */
async function watchOn<C extends Change>(leading: Leading<C>): Promise<void> {
  const { signal, retrying } = leading;
  while (!signal.aborted) {
    // A watch waits by itself after a cut, and nothing but a new one shortens its pause.
    retrying.renew();
    await watchOnce(leading, AbortSignal.any([signal, retrying.woken]));
  }
}

async function watchOnce<C extends Change>(
  { means, retrying, revision, brought }: Leading<C>,
  signal: AbortSignal,
): Promise<void> {
  let after = revision();
  let upTo = after;
  let changes: C[] = [];
  let isPlanned = false;
  let isLive = false;
  const deliver = () => {
    isPlanned = false;
    const batch = { changes, after, upTo };
    changes = [];
    after = upTo;
    brought(batch.changes, batch.after, batch.upTo);
  };
  const watch = means.watch({
    afterRevision: after,
    signal,
    onCut(delayMs) {
      isLive = false;
      retrying.state({ kind: "reconnecting", untilMs: means.nowMs() + delayMs });
    },
  });
  try {
    for await (const { change, revision: at } of watch) {
      if (!isLive) {
        isLive = true;
        retrying.state({ kind: "live" });
      }
      if (at > upTo) upTo = at;
      if (!change) continue;
      changes.push(change);
      // What has come in one piece is told in one piece.
      if (!isPlanned) means.soon(deliver);
      isPlanned = true;
    }
  } finally {
    if (isPlanned) deliver();
  }
  if (signal.aborted) retrying.state({ kind: "connecting" });
}
