import "./order-view.css";
import { type Order, PaymentNotFoundError } from "@settle/sdk";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { useHistoryState } from "wouter/use-browser-location";
import { useTopUp } from "../account/use-top-up.tsx";
import { ErrorNote } from "../action/error-note.tsx";
import { ReadFailed } from "../action/read-failed.tsx";
import { CopyButton } from "../design/copy-button.tsx";
import { Mark } from "../design/mark.tsx";
import { Skeleton } from "../design/skeleton.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useTitle } from "../layout/use-title.ts";
import { widthOf } from "../money/figure.ts";
import { useClient } from "../session/client.ts";
import { instantMs } from "../time/instant.ts";
import { useNow } from "../time/use-now.ts";
import { CancelOrder } from "./cancel-order.tsx";
import { DeclineNote, type Remedies } from "./decline-note.tsx";
import { statusOf } from "./status.ts";
import { StatusText } from "./status-text.tsx";
import { timelineOf } from "./timeline.ts";
import { TimelineList } from "./timeline-list.tsx";
import { titleOf } from "./title.ts";
import { useOrder } from "./use-orders.ts";

/** The view of one order: its details, status and timeline. */
export default function OrderView({ id }: { readonly id: string }) {
  const { m } = useLanguage();
  const { userId } = useClient();
  const { data: order, error, refetch } = useOrder(id);
  const [, navigate] = useLocation();
  const cameFrom = useHistoryState<{ readonly query?: string } | null>();
  const { dialog, topUp } = useTopUp();
  const again: Remedies["again"] = (draft) => navigate("/", { state: { draft } });
  useTitle((order && titleOf(order)) || m.orders.untitled);
  return (
    <article className="order-view">
      <Link href={`/${cameFrom?.query ?? ""}`} className="back">
        {`← ${m.order.back}`}
      </Link>
      {order && <Receipt order={order} remedies={{ again, topUp }} />}
      {order === undefined && !error && <Skeleton lines={6} />}
      {order === null && (
        <div className="empty">
          <h1>{m.order.notFound}</h1>
          <p>{m.order.notFoundAs(userId)}</p>
          <Link href="/">{m.page.notFoundNext}</Link>
        </div>
      )}
      {order === undefined && error && (
        <div className="empty">
          <h1>{m.orders.untitled}</h1>
          <ReadFailed error={error} again={refetch} />
        </div>
      )}
      {dialog}
    </article>
  );
}

function Receipt(props: { readonly order: Order; readonly remedies: Remedies }) {
  const { m, format } = useLanguage();
  const { order, remedies } = props;
  const payment = usePayment(order);
  const nowMs = useNow(10_000);
  const status = statusOf(order);
  const { amount, createTime, settleTime, expireTime } = order;
  return (
    <div className="receipt">
      <header className="receipt-head">
        <h1 tabIndex={-1}>{titleOf(order) || m.orders.untitled}</h1>
        {amount && (
          <p className="receipt-amount figure" style={widthOf(format.moneyParts(amount))}>
            {format.money(amount)}
          </p>
        )}
        <p className="receipt-status">
          <Mark status={status} />
          <StatusText order={order} />
        </p>
        {createTime && settleTime && (
          <p className="small">
            {m.order.took(format.duration(instantMs(settleTime) - instantMs(createTime)))}
          </p>
        )}
        {status === "pending" && expireTime && (
          <p className="small">{m.order.expires(format.relative(instantMs(expireTime), nowMs))}</p>
        )}
        <CancelOrder order={order} />
        {status === "declined" && <DeclineNote order={order} remedies={remedies} />}
      </header>
      <h2>{m.order.timeline}</h2>
      <TimelineList steps={timelineOf(order, payment.data ?? undefined)} />
      <ErrorNote error={payment.error ?? undefined} />
      <footer className="receipt-foot">
        <p className="kicker" id="order-id">
          {m.order.id}
        </p>
        <p className="order-id">
          <code>{order.id}</code>
          <CopyButton text={order.id} label={m.order.copyId} />
        </p>
      </footer>
    </div>
  );
}

/** Loads the payment of the order; null while there is none. Loaded again for each state. */
function usePayment({ id, revision }: Order) {
  const { settle, userId } = useClient();
  return useQuery({
    queryKey: ["payment", id, String(revision)],
    queryFn: async () => {
      try {
        return await settle.payments.getPayment({ userId, orderId: id });
      } catch (error) {
        if (error instanceof PaymentNotFoundError) return null;
        throw error;
      }
    },
    placeholderData: keepPreviousData,
  });
}
