import { createSettle, type Order, type Settle } from "@settle/sdk";
import { QueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { PageConfig } from "../../server/config.ts";
import { createIntents, type Intents } from "../action/intent.ts";
import { coalesce } from "../live/coalesce.ts";
import type { Feed } from "../live/feed.ts";
import { batchByFrame } from "../live/frame-batch.ts";
import { type OrderList, pageSizeOf } from "../live/merge-orders.ts";
import { openFeed } from "../live/open-feed.ts";
import { createOrderCache, keys, type OrderCache } from "../live/order-cache.ts";
import { createOrderReader } from "../live/order-reader.ts";
import { createRecentOrders, type RecentOrders } from "../live/recent-orders.ts";
import { createSignal, type Signal } from "../live/signal.ts";
import { pageTransport } from "./page-transport.ts";
import { createReach, type Reach } from "./reach.ts";
import type { Session } from "./session.ts";

const askAgainMs = 10_000;

/** Everything that views use while a user is signed in. */
export type Client = OrderCache & {
  readonly userId: string;
  readonly config: PageConfig;
  readonly settle: Settle;
  readonly queries: QueryClient;
  readonly feed: Feed<Order>;
  /** What answers, as far as calls have found out. */
  readonly reach: Reach;
  /** Actions that were started and may have taken effect. */
  readonly intents: Intents;
  /** Loads the first page of the orders, for the query of `keys.orders`. */
  readOrders(): Promise<OrderList>;
  /** Reloads account and statement if they are displayed; calls meanwhile cause one more run. */
  refreshMoney(): Promise<void>;
  /**
   * Orders that were loaded for their names only. Separate from `recent`, because no other part of
   * the page has received them: the feed must still deliver their changes.
   */
  readonly named: RecentOrders;
  /** Announces a text to screen readers, politely. */
  readonly said: Signal<[text: string]>;
  close(): void;
};

/**
 * Creates the client of a session. Closing it ends its calls and drops its data. After signing in
 * again, the new client keeps the `intents` of the previous one.
 */
export function createClient(
  config: PageConfig,
  session: Session,
  intents: Intents = createIntents(),
): Client {
  const { userId } = session;
  const reach = createReach();
  const settle = createSettle({
    baseUrl: config.edgeUrl,
    transport: pageTransport({ fetch: reach.fetch }),
    token: session.token,
    // A person would rather see a failure after a second than wait for the timeout.
    maxRetries: 3,
  });
  const queries = new QueryClient({
    // The SDK retries by itself, and merging by revision keeps unchanged data.
    defaultOptions: { queries: { retry: false, structuralSharing: false } },
  });
  const refreshMoney = coalesce(async () => {
    await Promise.all(
      [keys.account, keys.statement].map((queryKey) => queries.invalidateQueries({ queryKey })),
    );
  });
  const cache = createOrderCache(queries, () => void refreshMoney());
  const { readOrders, readBase } = createOrderReader({
    queries,
    recent: cache.recent,
    readPage() {
      const pageSize = pageSizeOf(queries.getQueryData<OrderList>(keys.orders));
      return settle.orders.listOrders({ userId, pageSize }).first();
    },
  });
  const feed = openFeed({ settle, userId, readBase });
  const batch = batchByFrame(cache.accept);
  feed.listen({
    onChanges: batch,
    onGap() {
      // Lists that are not displayed would be marked as current by the next change.
      queries.removeQueries({ queryKey: keys.orders, type: "inactive" });
      void queries.invalidateQueries();
    },
    onDeposited: () => void refreshMoney(),
  });
  // What the browser says of its network is a reason to ask, and not an answer.
  const hints = ["online", "offline"] as const;
  for (const hint of hints) addEventListener(hint, feed.retryNow);
  // A service that was away is asked again: otherwise, only the user's next action would tell.
  const asking = setInterval(() => {
    if (reach.away.has("payments")) void refreshMoney();
  }, askAgainMs);
  return {
    ...cache,
    userId,
    config,
    settle,
    queries,
    feed,
    reach,
    intents,
    readOrders,
    refreshMoney,
    named: createRecentOrders(),
    said: createSignal(),
    close() {
      for (const hint of hints) removeEventListener(hint, feed.retryNow);
      clearInterval(asking);
      feed[Symbol.dispose]();
      batch[Symbol.dispose]();
      queries.clear();
      void settle[Symbol.asyncDispose]();
    },
  };
}

const context = createContext<Client | undefined>(undefined);
/** Provides the client to the views below. */
export const ClientProvider = context.Provider;

/** Returns the client of the signed-in user. Throws if nobody is signed in. */
export function useClient(): Client {
  const client = useContext(context);
  if (!client) throw new Error("useClient is used outside of ClientProvider");
  return client;
}
