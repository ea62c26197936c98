import { useEffect, useMemo, useReducer, useState } from "react";
import { useHistoryState } from "wouter/use-browser-location";
import { AccountSection } from "../account/account-section.tsx";
import { useTopUp } from "../account/use-top-up.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useTitle } from "../layout/use-title.ts";
import type { Draft } from "./draft.ts";
import { NewOrder } from "./new-order-form.tsx";
import { OrdersSection } from "./orders-section.tsx";

/** The view with the account, the form for a new order, and the orders. */
export function OverviewView() {
  const { m } = useLanguage();
  const brought = useHistoryState<{ readonly draft?: Draft } | null>();
  const [draft, setDraft] = useState(brought?.draft);
  useEffect(() => {
    // The draft is used once: a reload must not restore it after the order was placed.
    if (brought?.draft) history.replaceState(null, "");
  }, [brought]);
  const [drafts, countDraft] = useReducer((count: number) => count + 1, 0);
  const { dialog, topUp } = useTopUp();
  // Memoised, or opening a dialog would render every order again.
  const remedies = useMemo(() => {
    const again = (next: Draft) => {
      setDraft(next);
      countDraft();
    };
    return { again, topUp };
  }, [topUp]);
  useTitle(m.page.orders);
  return (
    <div className="overview">
      <h1 className="hidden">{m.account.title}</h1>
      <div className="overview-side">
        <AccountSection />
        <NewOrder key={drafts} draft={draft} />
      </div>
      <OrdersSection remedies={remedies} />
      {dialog}
    </div>
  );
}
