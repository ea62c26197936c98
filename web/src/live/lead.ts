import type { Change } from "./feed-means.ts";
import { bring, reread, setState, type Tab } from "./tab.ts";

const firstDelayMs = 1_000;
const longestDelayMs = 30_000;
/** How often data is read again while the watch brings nothing. */
export const rereadMs = 10_000;

/**
 * Runs the feed of one tab: loads the base, waits for its turn to lead, and then watches until it
 * is stopped or the feed has ended. Rejects if it is stopped before its turn.
 */
export async function lead<C extends Change>(tab: Tab<C>): Promise<void> {
  const { means, stopped } = tab;
  if (!(await persist(tab, () => readBase(tab)))) return;
  await means.takeLead(stopped, async () => {
    tab.isLeading = true;
    setState(tab, { kind: "connecting" });
    const ended = new AbortController();
    void rereadWhileSilent(tab, AbortSignal.any([stopped, ended.signal]));
    await persist(tab, () => watchOn(tab));
    ended.abort();
    tab.isLeading = false;
  });
}

async function readBase<C extends Change>(tab: Tab<C>): Promise<void> {
  const revision = await tab.means.readBase();
  if (tab.stopped.aborted) return;
  // The leader may have sent a higher or a lower revision meanwhile.
  if (revision > tab.revision) tab.revision = revision;
  tab.isBased = true;
  tab.based.resolve();
  tab.means.channel.post({ kind: "hello" });
}

/**
 * Reads again every ten seconds while the watch brings nothing: something on the way may hold streams
 * back and let calls pass. Reports it once a call has succeeded, and lets all tabs load what they
 * display.
 */
async function rereadWhileSilent<C extends Change>(
  tab: Tab<C>,
  signal: AbortSignal,
): Promise<void> {
  const { means } = tab;
  const isSilent = () => tab.state.kind !== "live" && tab.state.kind !== "ended";
  while (!signal.aborted) {
    await means.pause(rereadMs, signal);
    if (signal.aborted || !isSilent()) continue;
    try {
      const revision = await means.readBase();
      if (signal.aborted || !isSilent()) continue;
      setState(tab, { kind: "polling" });
      reread(tab, revision);
    } catch {
      // Calls fail as well. The state says so already.
    }
  }
}

/**
 * Retries until it succeeds or the error is permanent; returns whether it succeeded. Each pause is
 * twice as long as the previous one, up to 30 s, and short again after an attempt that lasted
 * longer.
 */
async function persist<C extends Change>(
  tab: Tab<C>,
  attempt: () => Promise<void>,
): Promise<boolean> {
  const { means, stopped } = tab;
  let delayMs = firstDelayMs;
  while (!stopped.aborted) {
    const startMs = means.nowMs();
    try {
      await attempt();
      return true;
    } catch (error) {
      const why = means.endOf(error);
      if (why !== undefined) setState(tab, { kind: "ended", why });
      if (why !== undefined || stopped.aborted) return false;
      if (means.nowMs() - startMs > longestDelayMs) delayMs = firstDelayMs;
      setState(tab, { kind: "reconnecting", untilMs: means.nowMs() + delayMs });
      tab.wake = new AbortController();
      await means.pause(delayMs, AbortSignal.any([tab.wake.signal, stopped]));
      delayMs = Math.min(longestDelayMs, delayMs * 2);
      setState(tab, { kind: "connecting" });
    }
  }
  return false;
}

/** Watches until the tab is stopped; throws the error that ended the watch. */
async function watchOn<C extends Change>(tab: Tab<C>): Promise<void> {
  while (!tab.stopped.aborted) {
    // A watch pauses by itself after an interruption; only a new watch ends the pause early.
    tab.wake = new AbortController();
    await watchOnce(tab, AbortSignal.any([tab.stopped, tab.wake.signal]));
    setState(tab, { kind: "connecting" });
  }
}

async function watchOnce<C extends Change>(tab: Tab<C>, signal: AbortSignal): Promise<void> {
  const { means } = tab;
  let after = tab.revision;
  let upTo = after;
  let changes: C[] = [];
  let isLive = false;
  const deliver = () => {
    const batch = changes;
    if (batch.length === 0) return;
    changes = [];
    bring(tab, batch, after, upTo);
    after = upTo;
  };
  const watch = means.watch({
    afterRevision: after,
    signal,
    onCut(delayMs) {
      isLive = false;
      setState(tab, { kind: "reconnecting", untilMs: means.nowMs() + delayMs });
    },
  });
  try {
    for await (const { change, revision } of watch) {
      if (!isLive) setState(tab, { kind: "live" });
      isLive = true;
      if (revision > upTo) upTo = revision;
      if (!change) continue;
      // Changes that arrive together are delivered together.
      if (changes.length === 0) means.soon(deliver);
      changes.push(change);
    }
  } finally {
    deliver();
  }
}
