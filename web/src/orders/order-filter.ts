import type { Order, OrderStatus } from "@settle/sdk";
import { addDays, type Day, dayOf, parseDay, startOfDay } from "../time/day.ts";
import { type Instant, instantMs } from "../time/instant.ts";
import { type KnownStatusName, knownStatuses, statusCode } from "./status.ts";

/** Which orders the list shows; without any of these, all of them. */
export type OrderFilter = {
  readonly status?: KnownStatusName;
  /** The first day. */
  readonly from?: Day;
  /** The last day. */
  readonly to?: Day;
  /** An order id, or words that the order must contain. */
  readonly text?: string;
};

/** New values of some parts of a filter; undefined removes one. */
export type FilterChange = { readonly [Part in keyof OrderFilter]: OrderFilter[Part] | undefined };

/** The longest text to search for, in characters; the rest is dropped. */
export const maxSearchCharacters = 200;

/** Reads the filter from the query of an address. What is not valid is left out. */
export function filterOf(query: string): OrderFilter {
  const values = new URLSearchParams(query);
  const status = knownStatuses.find((name) => name === values.get("status"));
  const from = parseDay(values.get("from") ?? "");
  const to = parseDay(values.get("to") ?? "");
  const text = (values.get("q") ?? "").trim().slice(0, maxSearchCharacters);
  return {
    ...(status && { status }),
    ...(from && { from }),
    ...(to && { to }),
    ...(text && { text }),
  };
}

/** Returns the query of the address for the filter, which {@link filterOf} reads: `?status=paid`. */
export function queryOf({ status, from, to, text }: OrderFilter): string {
  const values = new URLSearchParams();
  for (const [name, value] of Object.entries({ q: text, status, from, to })) {
    if (value) values.set(name, value);
  }
  return values.size === 0 ? "" : `?${values}`;
}

/** The part of the filter by which the service selects orders. */
export function selectionOf({ text: _, ...selection }: OrderFilter): OrderFilter {
  return selection;
}

/** Whether the filter leaves out anything. */
export function isFiltering(filter: OrderFilter): boolean {
  return queryOf(filter) !== "";
}

/** Returns the fields of a ListOrdersRequest that select the same orders as the filter. */
export function requestOf({ status, from, to }: OrderFilter): {
  readonly status?: OrderStatus;
  readonly createdAfter?: Instant;
  readonly createdBefore?: Instant;
} {
  return {
    ...(status && { status: statusCode(status) }),
    // Bounds are exclusive, and orders are created at whole milliseconds.
    ...(from && { createdAfter: instantOf(startOfDay(from) - 1) }),
    ...(to && { createdBefore: instantOf(startOfDay(to, 1)) }),
  };
}

/** Returns whether the service would select an order, so that live changes can be sorted in. */
export function matcherOf({ status, from, to }: OrderFilter): (order: Order) => boolean {
  const code = status && statusCode(status);
  const fromMs = from ? startOfDay(from) : Number.NEGATIVE_INFINITY;
  const beforeMs = to ? startOfDay(to, 1) : Number.POSITIVE_INFINITY;
  return (order) => {
    if (code !== undefined && order.status !== code) return false;
    const ms = order.createTime ? instantMs(order.createTime) : 0;
    return ms >= fromMs && ms < beforeMs;
  };
}

/** The ranges of days that are offered by name, which all end today. */
export const namedRanges = { today: 1, week: 7, month: 30 } as const;

/** Returns the days of a named range. */
export function rangeOf(name: keyof typeof namedRanges, nowMs: number): OrderFilter {
  const today = dayOf(nowMs);
  return { from: addDays(today, 1 - namedRanges[name]), to: today };
}

const instantOf = (ms: number): Instant => ({
  seconds: BigInt(Math.floor(ms / 1_000)),
  nanos: (ms % 1_000) * 1_000_000,
});
