import { useEffect, useMemo, useReducer, useState } from "react";
import { useHistoryState } from "wouter/use-browser-location";
import { AccountSection } from "../account/account-section.tsx";
import { useTopUp } from "../account/use-top-up.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useTitle } from "../layout/use-title.ts";
import type { Draft } from "./draft.ts";
import { NewOrder } from "./new-order-form.tsx";
import { OrdersSection } from "./orders-section.tsx";

/** The account, a new order, and the orders there are. */
export function OverviewView() {
  const { m } = useLanguage();
  const brought = useHistoryState<{ readonly draft?: Draft } | null>();
  const [draft, setDraft] = useState(brought?.draft);
  useEffect(() => {
    // Taken: it must not come back by a reload, when it has long been placed.
    if (brought?.draft) history.replaceState(null, "");
  }, [brought]);
  const [drafts, countDraft] = useReducer((count: number) => count + 1, 0);
  const { dialog, topUp } = useTopUp();
  // The same one for as long as it may be, or opening a dialog would draw every order anew.
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
