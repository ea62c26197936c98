import type { Order } from "@settle/sdk";
import { useMemo } from "react";
import { useLanguage } from "../i18n/language.tsx";
import type { OrderFilter } from "./order-filter.ts";
import { orderIdIn, searchFor } from "./order-search.ts";
import { useListedOrders, useOrder } from "./use-orders.ts";

/** The orders that a filter finds. */
export type FoundOrders = {
  /** Newest first; undefined while nothing is loaded. */
  readonly orders: readonly Order[] | undefined;
  /** How many orders were searched; undefined for an order id, which is looked up. */
  readonly searched: number | undefined;
  /** Whether older orders can be loaded and searched. */
  readonly isMore: boolean;
  /** Changes when another part of the list is loaded. */
  readonly part: string;
  /** Whether `orders` are still those of the previous filter. */
  readonly isOld: boolean;
  readonly error: Error | null;
  refetch(): unknown;
};

/**
 * Finds orders: by status and days in the service, then by the text in what is loaded. A text with
 * an order id finds this order alone, wherever it is in the list.
 */
export function useFoundOrders(filter: OrderFilter): FoundOrders {
  const { format } = useLanguage();
  const { text = "" } = filter;
  const id = orderIdIn(text);
  const list = useListedOrders(filter);
  const byId = useOrder(id);
  const listed = list.data?.orders;
  const contains = useMemo(() => searchFor(text, format.money), [text, format]);
  const orders = useMemo(
    () => (text === "" ? listed : listed?.filter(contains)),
    [listed, text, contains],
  );
  if (id !== undefined) {
    const { data: order, error, refetch } = byId;
    return {
      orders: order === undefined ? undefined : order ? [order] : [],
      searched: undefined,
      isMore: false,
      part: id,
      isOld: false,
      error,
      refetch,
    };
  }
  const { data, error, refetch, isPlaceholderData } = list;
  return {
    orders,
    searched: listed?.length,
    isMore: data !== undefined && data.rest.kind !== "none",
    part: data?.fromId ?? "",
    isOld: isPlaceholderData,
    error,
    refetch,
  };
}
