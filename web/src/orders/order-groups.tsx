import type { Order } from "@settle/sdk";
import { useId, useMemo } from "react";
import { useLanguage } from "../i18n/language.tsx";
import { dayOf, dayTitle } from "../time/day.ts";
import { instantMs } from "../time/instant.ts";
import { useNow } from "../time/use-now.ts";
import type { Remedies } from "./decline-note.tsx";
import { OrderLine } from "./order-line.tsx";

const minuteMs = 60_000;

/** Orders, newest first, under the day on which they were placed. */
export function OrderGroups(props: {
  readonly orders: readonly Order[];
  /** The newest order that was paid: declines before it need no remedy. */
  readonly lastPaidId: string;
  readonly remedies: Remedies;
  /** The filter in the address, to which an order leads back. */
  readonly query: string;
}) {
  const { language } = useLanguage();
  const { orders, lastPaidId, remedies, query } = props;
  const today = dayOf(useNow(minuteMs));
  const id = useId();
  const days = useMemo(() => [...Map.groupBy(orders, placedOn)], [orders]);
  return days.map(([day, ofDay]) => (
    <div key={day} className="order-day">
      <h3 id={`${id}${day}`}>{dayTitle(day, today, language)}</h3>
      <ol className="order-lines" aria-labelledby={`${id}${day}`}>
        {ofDay.map((order) => (
          <OrderLine
            key={order.id}
            order={order}
            query={query}
            remedies={order.id > lastPaidId ? remedies : undefined}
          />
        ))}
      </ol>
    </div>
  ));
}

const placedOn = ({ createTime }: Order) => dayOf(createTime ? instantMs(createTime) : 0);
