import { AccountNotFoundError, type LedgerEntry } from "@settle/sdk";
import { useQuery } from "@tanstack/react-query";
import { keys } from "../live/order-cache.ts";
import { type Client, useClient } from "../session/client.ts";
import { type EntryList, mergeFirstPage } from "./merge-entries.ts";

const pageSize = 50;
/** More than the page's own: orders that moved no money stand between those that did. */
const namesPageSize = 200;

/** The statement, as far as it has been read; null if there is no account. */
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

/** Reads one page more. */
export async function readMoreEntries({ settle, userId, queries }: Client): Promise<void> {
  const pageToken = queries.getQueryData<EntryList>(keys.statement)?.nextPageToken;
  if (!pageToken) return;
  const page = await settle.payments.listLedgerEntries({ userId, pageSize, pageToken }).first();
  queries.setQueryData<EntryList>(keys.statement, (now) => {
    // Read anew meanwhile, from another place on.
    if (now?.nextPageToken !== pageToken) return now;
    return { ...page, entries: [...now.entries, ...page.entries] };
  });
}

/**
 * What was ordered, by order id, for the entries shown: one call for those that are not known yet.
 * Orders much older than their entries may be missing.
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
