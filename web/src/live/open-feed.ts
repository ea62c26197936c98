import {
  Code,
  type Order,
  PermissionDeniedError,
  type Settle,
  SettleError,
  UnauthenticatedError,
} from "@settle/sdk";
import { SessionEndedError } from "../session/session.ts";
import { createFeed, type Feed } from "./feed.ts";
import type { FeedMessage, WatchItem } from "./feed-means.ts";

/** Opens the feed of a user's orders, shared by all tabs of this browser if it has Web Locks. */
export function openFeed(options: {
  readonly settle: Settle;
  readonly userId: string;
  readBase(): Promise<bigint>;
}): Feed<Order> {
  const { settle, userId, readBase } = options;
  const name = `settle-live:${userId}`;
  return createFeed<Order>({
    takeLead: (signal, work) => takeLock(name, signal, work),
    channel: openChannel(name),
    readBase,
    async *watch({ afterRevision, signal, onCut }) {
      const watch = settle.orders.watchOrders(
        { userId, afterRevision },
        { heartbeats: true, signal, onCut: (_, delayMs) => onCut(delayMs) },
      );
      for await (const item of watch) {
        const { revision } = item;
        const change = item.kind === "order" ? { change: item.order } : {};
        yield { revision, ...change } satisfies WatchItem<Order>;
      }
    },
    endOf(error) {
      if (error instanceof SessionEndedError || error instanceof UnauthenticatedError) {
        return "session";
      }
      if (error instanceof PermissionDeniedError) return "refused";
      return error instanceof SettleError && error.code === Code.Unimplemented
        ? "refused"
        : undefined;
    },
    nowMs: () => Date.now(),
    pause,
    soon: createSoon(),
  });
}

/**
 * Without locks, which browsers give to secure contexts only and deny where they keep nothing, each
 * tab has its own watch.
 */
async function takeLock(
  name: string,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  let isTaken = false;
  const begin = () => {
    isTaken = true;
    return work();
  };
  try {
    await navigator.locks.request(name, { signal }, begin);
  } catch (error) {
    if (isTaken || signal.aborted) throw error;
    await work();
  }
}

function openChannel(name: string) {
  const channel = new BroadcastChannel(name);
  return {
    post: (message: FeedMessage<Order>) => channel.postMessage(message),
    onMessage(hear: (message: FeedMessage<Order>) => void) {
      channel.onmessage = ({ data }: MessageEvent<FeedMessage<Order>>) => hear(data);
    },
    close: () => channel.close(),
  };
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, delayMs);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", end, { once: true });
  });
}

/** Uses a message to this tab itself, which is fast in hidden tabs too. */
function createSoon(): (run: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (run) => {
    waiting.push(run);
    port2.postMessage(undefined);
  };
}
