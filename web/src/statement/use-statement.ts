import { AccountNotFoundError, type LedgerEntry } from "@settle/sdk";
import { useQuery } from "@tanstack/react-query";
import { keys } from "../live/order-cache.ts";
import { type Client, useClient } from "../session/client.ts";
import { type EntryList, mergeFirstPage } from "./merge-entries.ts";

const pageSize = 50;
/** Larger than the statement's pages, because the list also contains orders that moved no money. */
const namesPageSize = 200;

/** Returns the loaded part of the statement; null if there is no account. */
export function useStatement() {
  const { settle, userId, queries } = useClient();
  return useQuery({
    queryKey: keys.statement,
    queryFn: async () => {
      try {
        const page = await settle.payments.listLedgerEntries({ userId, pageSize }).first();
        return mergeFirstPage(queries.getQueryData<EntryList>(keys.statement), page);
      } catch (error) {
        if (error instanceof AccountNotFoundError) return null;
        throw error;
      }
    },
  });
}

/** Loads the next page. */
export async function readMoreEntries({ settle, userId, queries }: Client): Promise<void> {
  const pageToken = queries.getQueryData<EntryList>(keys.statement)?.nextPageToken;
  if (!pageToken) return;
  const page = await settle.payments.listLedgerEntries({ userId, pageSize, pageToken }).first();
  queries.setQueryData<EntryList>(keys.statement, (now) => {
    // The statement was reloaded meanwhile, with another next page.
    if (now?.nextPageToken !== pageToken) return now;
    return { ...page, entries: [...now.entries, ...page.entries] };
  });
}

/**
 * Returns the description of the order of each displayed entry, by order id, with one call for the
 * unknown ones. Orders that are much older than their entries may be missing.
 */
export function useOrderNames(entries: readonly LedgerEntry[]): ReadonlyMap<string, string> {
  const { settle, userId, recent, named } = useClient();
  const orderBy = (id: string) => recent.get(id) ?? named.get(id);
  const isUnknown = ({ orderId }: LedgerEntry) => orderId !== "" && !orderBy(orderId);
  const unknown = entries.slice(-pageSize).find(isUnknown) ?? entries.find(isUnknown);
  useQuery({
    queryKey: ["order-names", unknown?.id],
    enabled: unknown !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const until = unknown?.createTime;
      const page = await settle.orders
        .listOrders({ userId, pageSize: namesPageSize, ...(until && { createdBefore: until }) })
        .first();
      named.note(page.orders);
      return page.orders.length;
    },
  });
  const names = new Map<string, string>();
  for (const { orderId } of entries) {
    const order = orderBy(orderId);
    if (order) names.set(orderId, order.description);
  }
  return names;
}
