import { createSettle, type Order, type Settle } from "@settle/sdk";
import { QueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { PageConfig } from "../../server/config.ts";
import { createIntents, type Intents } from "../action/intent.ts";
import { coalesce } from "../live/coalesce.ts";
import type { Feed } from "../live/feed.ts";
import { batchByFrame } from "../live/frame-batch.ts";
import type { OrderList } from "../live/merge-orders.ts";
import { openFeed } from "../live/open-feed.ts";
import { createOrderCache, keys, type OrderCache } from "../live/order-cache.ts";
import { createOrderReader } from "../live/order-reader.ts";
import { createRecentOrders, type RecentOrders } from "../live/recent-orders.ts";
import { createSignal, type Signal } from "../live/signal.ts";
import type { Session } from "./session.ts";

const firstPageSize = 20;

/** Everything that views work with while somebody is signed in. */
export type Client = OrderCache & {
  readonly userId: string;
  readonly config: PageConfig;
  readonly settle: Settle;
  readonly queries: QueryClient;
  readonly feed: Feed<Order>;
  /** What has been begun and may have happened. */
  readonly intents: Intents;
  /** Reads the first page of the orders, for the query of `keys.orders`. */
  readOrders(): Promise<OrderList>;
  /** Reads account and statement again if they are shown; while it does, at most once more. */
  refreshMoney(): Promise<void>;
  /**
   * Orders that were read for their names alone. Apart from `recent`, because nothing else has been
   * told of them: the feed still has to bring what is new about them.
   */
  readonly named: RecentOrders;
  /** Tells screen readers something, politely. */
  readonly said: Signal<[text: string]>;
  close(): void;
};

/**
 * Builds the client of a session; closing it ends its calls and forgets what it has read. After signing
 * in again it goes on with the `intents` of the one before.
 */
export function createClient(
  config: PageConfig,
  session: Session,
  intents: Intents = createIntents(),
): Client {
  const { userId } = session;
  const settle = createSettle({ baseUrl: config.edgeUrl, token: session.token });
  const queries = new QueryClient({
    // The SDK tries again by itself, and merging by revision keeps what has not changed.
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
    readPage: () => settle.orders.listOrders({ userId, pageSize: firstPageSize }).first(),
  });
  const feed = openFeed({ settle, userId, readBase });
  const batch = batchByFrame(cache.accept);
  feed.listen({
    onChanges: batch,
    onGap: () => void queries.invalidateQueries(),
    onDeposited: () => void refreshMoney(),
  });
  addEventListener("online", feed.retryNow);
  return {
    ...cache,
    userId,
    config,
    settle,
    queries,
    feed,
    intents,
    readOrders,
    refreshMoney,
    named: createRecentOrders(),
    said: createSignal(),
    close() {
      removeEventListener("online", feed.retryNow);
      feed[Symbol.dispose]();
      batch[Symbol.dispose]();
      queries.clear();
      void settle[Symbol.asyncDispose]();
    },
  };
}

const context = createContext<Client | undefined>(undefined);
/** Gives the client to the views below. */
export const ClientProvider = context.Provider;

/** The client of whoever is signed in. Throws where nobody is. */
export function useClient(): Client {
  const client = useContext(context);
  if (!client) throw new Error("nobody is signed in here");
  return client;
}
