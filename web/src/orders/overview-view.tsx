import { useState } from "react";
import { AccountSection } from "../account/account-section.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useTitle } from "../layout/use-title.ts";
import { NewOrderForm } from "./new-order-form.tsx";
import { OrdersSection } from "./orders-section.tsx";

/** What an order that is to be placed again begins with. */
export type Draft = { readonly amount: string; readonly description: string };

/** The account, a new order, and the orders there are. */
export function OverviewView() {
  const { m } = useLanguage();
  const [draft, setDraft] = useState<Draft>();
  useTitle(m.page.orders);
  return (
    <div className="overview">
      <h1 className="hidden">{m.account.title}</h1>
      <div className="overview-side">
        <AccountSection />
        <NewOrderForm key={draft ? `${draft.amount} ${draft.description}` : ""} draft={draft} />
      </div>
      <OrdersSection onAgain={setDraft} />
    </div>
  );
}
