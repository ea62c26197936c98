import { Suspense, useId, useRef, useState } from "react";
import { ReadFailed } from "../action/read-failed.tsx";
import { ShowMore } from "../action/show-more.tsx";
import { useAction } from "../action/use-action.ts";
import { late } from "../browser/late.tsx";
import { Skeleton } from "../design/skeleton.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useClient } from "../session/client.ts";
import type { Remedies } from "./decline-note.tsx";
import { FindBar } from "./find-bar.tsx";
import { isFiltering } from "./order-filter.ts";
import { OrderGroups } from "./order-groups.tsx";
import { statusOf } from "./status.ts";
import { useFilter } from "./use-filter.ts";
import { useFoundOrders } from "./use-found-orders.ts";
import { readMoreOrders, useOrders } from "./use-orders.ts";

const FindDetails = late(() => import("./find-details.tsx"));
const NoOrders = late(() => import("./no-orders.tsx"));

/** The id of the heading above the orders. */
export const ordersTitleId = "orders-title";

/** The orders that the filter finds, newest first, with the remedies for declines. */
export function OrdersSection({ remedies }: { readonly remedies: Remedies }) {
  const { m } = useLanguage();
  const client = useClient();
  const { filter, query, change } = useFilter();
  const [isOpen, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const panelId = useId();
  const { data: all } = useOrders();
  const found = useFoundOrders(filter);
  const { orders, error, isMore } = found;
  const more = useAction("readMoreOrders", () => readMoreOrders(client, filter));
  const isFiltered = isFiltering(filter);
  const hasNone = all?.orders.length === 0 && !isFiltered;
  const lastPaid = all?.orders.find((order) => statusOf(order) === "paid");
  return (
    <section className="orders" aria-labelledby={ordersTitleId}>
      <div className="orders-head">
        <h2 id={ordersTitleId}>{m.orders.title}</h2>
        {!hasNone && (
          <FindBar
            filter={filter}
            change={change}
            input={input}
            panelId={panelId}
            isOpen={isOpen}
            onToggle={() => setOpen(!isOpen)}
          />
        )}
      </div>
      {(isOpen || isFiltered) && (
        <Suspense>
          <FindDetails
            filter={filter}
            change={change}
            found={found}
            input={input}
            panelId={panelId}
            isOpen={isOpen}
          />
        </Suspense>
      )}
      {!orders && !error && <Skeleton lines={4} />}
      {!orders && error && <ReadFailed error={error} again={found.refetch} />}
      {hasNone && (
        <Suspense>
          <NoOrders />
        </Suspense>
      )}
      {orders && orders.length > 0 && (
        <div className="order-days" aria-busy={found.isOld}>
          <OrderGroups
            orders={orders}
            lastPaidId={lastPaid?.id ?? ""}
            remedies={remedies}
            query={query}
          />
        </div>
      )}
      <ShowMore action={more} isMore={isMore} {...(filter.text && { label: m.find.older })} />
    </section>
  );
}
