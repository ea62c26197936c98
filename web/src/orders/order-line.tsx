import type { Order } from "@settle/sdk";
import { memo } from "react";
import { Link } from "wouter";
import { Mark } from "../design/mark.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { instantMs } from "../time/instant.ts";
import { CancelOrder } from "./cancel-order.tsx";
import { DeclineNote, type Remedies } from "./decline-note.tsx";
import { statusOf } from "./status.ts";
import { StatusText } from "./status-text.tsx";
import { titleOf } from "./title.ts";

/** An order in the list. With `remedies`, it also shows what to do about a decline. */
export const OrderLine = memo(function OrderLine(props: {
  readonly order: Order;
  readonly remedies: Remedies | undefined;
  /** The filter of the list, to which the order leads back. */
  readonly query: string;
}) {
  const { m, format } = useLanguage();
  const { order, remedies, query } = props;
  const status = statusOf(order);
  const created = order.createTime ? instantMs(order.createTime) : 0;
  return (
    <li className={`order-line order-${status}`}>
      <time className="order-time" dateTime={new Date(created).toISOString()}>
        {format.time(created)}
      </time>
      <Link className="order-what" href={`/orders/${order.id}`} state={{ query }}>
        {titleOf(order) || m.orders.untitled}
      </Link>
      <span className="order-amount">{order.amount && format.money(order.amount)}</span>
      <span className="order-way">
        <Mark status={status} />
        <StatusText order={order} />
      </span>
      <CancelOrder order={order} />
      {status === "declined" && <DeclineNote order={order} remedies={remedies} />}
    </li>
  );
});
