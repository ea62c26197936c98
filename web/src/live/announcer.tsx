import type { Account, Order } from "@settle/sdk";
import { useEffect, useRef, useState } from "react";
import { useLanguage } from "../i18n/language.tsx";
import { statusOf } from "../orders/status.ts";
import { type Client, useClient } from "../session/client.ts";
import type { OrderList } from "./merge-orders.ts";
import { newlySettled } from "./newly-settled.ts";
import { keys, orderListsIn } from "./order-cache.ts";

const pauseMs = 1_500;
/** After a sentence about more orders than this, the next one waits longer. */
const many = 3;
const pauseAfterManyMs = 10_000;

/**
 * Announces the outcome of orders to screen readers, one by its name and many in one sentence, and
 * the announcements of views. It speaks at most every 1.5 seconds, and every ten seconds under
 * load.
 */
export function Announcer() {
  const { m, format } = useLanguage();
  const client = useClient();
  const [text, setText] = useState("");
  const speak = useRef<(settled: readonly Order[]) => void>(() => {});
  speak.current = (settled) => {
    const account = client.queries.getQueryData<Account | null>(keys.account);
    const balance = account?.balance ? format.money(account.balance) : "";
    const [first] = settled;
    if (settled.length === 1 && first) {
      const what = first.description || first.id.slice(-4);
      setText(m.orders.settled(what, m.orders.spoken[statusOf(first)], balance));
    } else {
      const paid = settled.filter((order) => statusOf(order) === "paid").length;
      const { length } = settled;
      setText(m.orders.settledMany(length, format.number(length), format.number(paid), balance));
    }
  };
  useEffect(() => client.said.listen(setText), [client]);
  useEffect(() => announceSettled(client, (settled) => speak.current(settled)), [client]);
  return (
    <div className="hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}

/** Calls `speak` with the orders that have left their pending state since it was last called. */
function announceSettled(client: Client, speak: (settled: readonly Order[]) => void): () => void {
  let settled: Order[] = [];
  let sinceId: string | undefined;
  void client.feed.based.then(() => {
    sinceId = client.queries.getQueryData<OrderList>(keys.orders)?.orders[0]?.id ?? "";
  });
  let nextPauseMs = pauseMs;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = async () => {
    // Already requested, so that it returns the balance after these orders.
    await client.refreshMoney();
    timer = undefined;
    const batch = settled;
    settled = [];
    nextPauseMs = batch.length > many ? pauseAfterManyMs : pauseMs;
    if (batch.length > 0) speak(batch);
  };
  const stop = client.accepted.listen((orders, before) => {
    const known = (id: string) => before.get(id) ?? shownOrder(client, id);
    for (const order of newlySettled(orders, { before: known, sinceId })) settled.push(order);
    if (settled.length > 0) timer ??= setTimeout(flush, nextPauseMs);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

/** Returns the order as displayed, which may not be on the first page of a list. */
function shownOrder({ queries }: Client, id: string): Order | undefined {
  const lists = orderListsIn(queries).map(([, { orders }]) => orders);
  const listed = lists.flatMap((orders) => orders.find((order) => order.id === id) ?? [])[0];
  return listed ?? queries.getQueryData<Order | null>(keys.order(id)) ?? undefined;
}
