import { createSettle, type Order, type Settle } from "@settle/sdk";
import { QueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { PageConfig } from "../../server/config.ts";
import { coalesce } from "../live/coalesce.ts";
import type { Feed } from "../live/feed.ts";
import { batchByFrame } from "../live/frame-batch.ts";
import { listOf, mergeOrders, type OrderList, revisionOf } from "../live/merge-orders.ts";
import { openFeed } from "../live/open-feed.ts";
import { createRecentOrders, type RecentOrders } from "../live/recent-orders.ts";
import type { Session } from "./session.ts";

const firstPageSize = 20;

/** The keys of what is cached. */
export const keys = {
  account: ["account"],
  orders: ["orders"],
  statement: ["statement"],
  order: (id: string) => ["order", id],
} as const;

/** Everything that views work with while somebody is signed in. */
export type Client = {
  readonly userId: string;
  readonly config: PageConfig;
  readonly settle: Settle;
  readonly queries: QueryClient;
  readonly feed: Feed<Order>;
  readonly recent: RecentOrders;
  /** The first page of the orders, as the query of {@link keys}.orders. */
  readOrders(): Promise<OrderList>;
  /** Takes in states of orders, from the feed or from answers: newer ones replace older ones. */
  accept(orders: readonly Order[]): void;
  /** Reads account and statement again if they are shown; while it does, at most once more. */
  refreshMoney(): Promise<void>;
  /** Is told what orders have changed, batch by batch as drawn; before the cache is. */
  onAccepted(listen: (fresh: readonly Order[], before: RecentOrders) => void): () => void;
  /** Tells screen readers something, politely. */
  say(text: string): void;
  onSaid(listen: (text: string) => void): () => void;
  close(): void;
};

/** Builds the client of a session; closing it ends its calls and forgets what it has read. */
export function createClient(config: PageConfig, session: Session): Client {
  const { userId } = session;
  const settle = createSettle({ baseUrl: config.edgeUrl, token: session.token });
  const queries = new QueryClient({
    // The SDK tries again by itself, and merging by revision keeps what has not changed.
    defaultOptions: { queries: { retry: false, structuralSharing: false } },
  });
  const recent = createRecentOrders();
  const listeners = new Set<(fresh: readonly Order[], before: RecentOrders) => void>();
  const sayings = new Set<(text: string) => void>();

  const readOrders = async () => {
    const page = await settle.orders.listOrders({ userId, pageSize: firstPageSize }).first();
    recent.note(page.orders);
    return mergeOrders(listOf(page), recent.all());
  };
  const refreshMoney = coalesce(async () => {
    await Promise.all(
      [keys.account, keys.statement].map((queryKey) => queries.invalidateQueries({ queryKey })),
    );
  });
  const accept = (orders: readonly Order[]) => {
    for (const listen of listeners) listen(orders, recent);
    const fresh = recent.note(orders);
    if (fresh.length === 0) return;
    queries.setQueryData<OrderList>(keys.orders, (list) => list && mergeOrders(list, fresh));
    for (const order of fresh) {
      // Only orders that somebody looks at or has looked at.
      queries.setQueryData<Order>(keys.order(order.id), (old) =>
        old && old.revision < order.revision ? order : old,
      );
    }
    if (fresh.some(({ settleTime }) => settleTime !== undefined)) void refreshMoney();
  };
  const feed = openFeed({
    settle,
    userId,
    readBase: async () => {
      const list = await queries.fetchQuery({ queryKey: keys.orders, queryFn: readOrders });
      return revisionOf(list.orders);
    },
  });
  const batch = batchByFrame(accept);
  feed.listen({
    onChanges: batch,
    onGap: () => void queries.invalidateQueries(),
    onDeposited: () => void refreshMoney(),
  });
  const online = () => feed.retryNow();
  addEventListener("online", online);

  return {
    userId,
    config,
    settle,
    queries,
    feed,
    recent,
    readOrders,
    accept,
    refreshMoney,
    onAccepted(listen) {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
    say(text) {
      for (const listen of sayings) listen(text);
    },
    onSaid(listen) {
      sayings.add(listen);
      return () => sayings.delete(listen);
    },
    close() {
      removeEventListener("online", online);
      feed[Symbol.dispose]();
      batch[Symbol.dispose]();
      queries.clear();
      void settle[Symbol.asyncDispose]();
    },
  };
}

const context = createContext<Client | undefined>(undefined);
export const ClientProvider = context.Provider;

/** The client of whoever is signed in. Throws where nobody is. */
export function useClient(): Client {
  const client = useContext(context);
  if (!client) throw new Error("nobody is signed in here");
  return client;
}
