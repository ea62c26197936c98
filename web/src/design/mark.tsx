import type { OrderStatusName } from "../orders/status.ts";

/**
 * The progress of an order as a line with three stops: ordered, payments, settled. It is filled up
 * to the last known stop. It is decorative: the status is always shown as text next to it.
 */
export function Mark({ status }: { readonly status: OrderStatusName }) {
  return (
    <svg className={`mark mark-${status}`} viewBox="3 0 92 16" aria-hidden="true">
      <path className="mark-bed" d="M8 8H88" />
      <path className="mark-way" d="M8 8H88" pathLength={1} />
      <circle className="mark-stop mark-first" cx="8" cy="8" r="4" />
      <circle className="mark-stop mark-second" cx="48" cy="8" r="4" />
      <circle className="mark-stop mark-third" cx="88" cy="8" r="6" />
      <Ending status={status} />
    </svg>
  );
}

function Ending({ status }: { readonly status: OrderStatusName }) {
  if (status === "paid") return <path className="mark-end" d="M85.2 8.2l2 2 3.6-4" />;
  if (status === "declined") return <path className="mark-end" d="M44.5 4.5l7 7m0-7l-7 7" />;
  if (status === "cancelled") return <path className="mark-end" d="M28 3v10" />;
  if (status === "refunded") return <path className="mark-end" d="M91 8h-6m2.4-2.6L85 8l2.4 2.6" />;
  return null;
}
