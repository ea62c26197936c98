import type { Messages } from "../i18n/en.ts";
import { type Day, startOfDay } from "../time/day.ts";
import type { FilterChange, OrderFilter } from "./order-filter.ts";
import { orderIdIn } from "./order-search.ts";

/** One part of a filter, as it is shown. */
export type Criterion = {
  readonly key: string;
  readonly label: string;
  /** The change that removes it. */
  readonly without: FilterChange;
};

/** Returns the parts of the filter in words. An order id stands alone: it finds one order. */
export function criteriaOf(
  { text, status, from, to }: OrderFilter,
  { m, language }: { readonly m: Messages; readonly language: string },
): readonly Criterion[] {
  const id = orderIdIn(text ?? "");
  if (id !== undefined) return [{ key: "text", label: id, without: { text: undefined } }];
  const days = daysText(from, to, { m, language });
  return [
    ...(text ? [{ key: "text", label: m.find.quoted(text), without: { text: undefined } }] : []),
    ...(status
      ? [{ key: "status", label: m.orders.status[status], without: { status: undefined } }]
      : []),
    ...(days ? [{ key: "days", label: days, without: { from: undefined, to: undefined } }] : []),
  ];
}

function daysText(
  from: Day | undefined,
  to: Day | undefined,
  { m, language }: { readonly m: Messages; readonly language: string },
): string | undefined {
  const format = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  if (from && to) {
    return from <= to
      ? format.formatRange(startOfDay(from), startOfDay(to))
      : `${format.format(startOfDay(from))} – ${format.format(startOfDay(to))}`;
  }
  if (from) return m.find.since(format.format(startOfDay(from)));
  return to && m.find.until(format.format(startOfDay(to)));
}
