import { ReadFailed } from "../action/read-failed.tsx";
import { ShowMore } from "../action/show-more.tsx";
import { useAction } from "../action/use-action.ts";
import { Mark } from "../design/mark.tsx";
import { Skeleton } from "../design/skeleton.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useClient } from "../session/client.ts";
import type { Remedies } from "./decline-note.tsx";
import { OrderLine } from "./order-line.tsx";
import { statusOf } from "./status.ts";
import { readMoreOrders, useOrders } from "./use-orders.ts";

/** The id of the heading above the orders. */
export const ordersTitleId = "orders-title";

/** The orders, newest first, each with its progress and the remedies for a decline. */
export function OrdersSection({ remedies }: { readonly remedies: Remedies }) {
  const { m } = useLanguage();
  const client = useClient();
  const { data: list, error, refetch } = useOrders();
  const more = useAction("readMoreOrders", () => readMoreOrders(client));
  const lastPaid = list?.orders.findIndex((order) => statusOf(order) === "paid") ?? -1;
  return (
    <section className="orders" aria-labelledby={ordersTitleId}>
      <h2 id={ordersTitleId}>{m.orders.title}</h2>
      {!list && !error && <Skeleton lines={4} />}
      {!list && error && <ReadFailed error={error} again={refetch} />}
      {list?.orders.length === 0 && (
        <div className="empty">
          <Mark status="pending" />
          <p className="empty-title">{m.orders.empty}</p>
          <p>{m.orders.emptyNext}</p>
        </div>
      )}
      {list && list.orders.length > 0 && (
        <ol className="order-lines">
          {list.orders.map((order, place) => (
            <OrderLine
              key={order.id}
              order={order}
              // Once a later order has been paid, the decline needs no remedy.
              remedies={lastPaid === -1 || place < lastPaid ? remedies : undefined}
            />
          ))}
        </ol>
      )}
      <ShowMore action={more} isMore={list !== undefined && list.rest.kind !== "none"} />
    </section>
  );
}
