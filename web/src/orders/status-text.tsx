import type { Order } from "@settle/sdk";
import { useLanguage } from "../i18n/language.tsx";
import { statusOf } from "./status.ts";

/** The status of an order as text, with the refunded amount. */
export function StatusText({ order }: { readonly order: Order }) {
  const { m, format } = useLanguage();
  const status = statusOf(order);
  const refunded = order.refundedAmount;
  const isPart = status === "paid" && refunded !== undefined && refunded.minorUnits > 0n;
  return (
    <span className={`status status-${status}`}>
      <span>{m.orders.status[status]}</span>
      {isPart && (
        <span className="status-more">{`, ${m.orders.refundedPart(format.money(refunded))}`}</span>
      )}
    </span>
  );
}
