import type { MoneyValue } from "@settle/sdk";
import { type FormEvent, memo, useId, useState } from "react";
import { useLocation } from "wouter";
import { AmountField, amountFaultText } from "../account/amount-field.tsx";
import { useAccount } from "../account/use-account.ts";
import { ErrorNote, fieldFault } from "../action/error-note.tsx";
import { useAction } from "../action/use-action.ts";
import { WorkButton } from "../action/work-button.tsx";
import { Field } from "../design/field.tsx";
import { Skeleton } from "../design/skeleton.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { type AmountFault, parseAmount } from "../money/parse-amount.ts";
import { useClient } from "../session/client.ts";
import type { Draft } from "./draft.ts";
import { orderCurrency } from "./order-currency.ts";
import { ordersTitleId } from "./orders-section.tsx";
import { useOrders } from "./use-orders.ts";

const maxDescriptionCharacters = 1_000;

/** The form to place an order, shown once its currency is known. */
export function NewOrder({ draft }: { readonly draft: Draft | undefined }) {
  const { m } = useLanguage();
  const { data: account } = useAccount();
  const { data: list } = useOrders();
  const currency = orderCurrency(account, list?.orders[0]);
  return (
    <section className="new-order" aria-labelledby="new-order-title">
      <h2 id="new-order-title">{m.orders.new}</h2>
      {currency ? <NewOrderForm currency={currency} draft={draft} /> : <Skeleton lines={3} />}
    </section>
  );
}

/** Places an order. It appears in the list when the server has accepted it. */
const NewOrderForm = memo(function NewOrderForm(props: {
  readonly currency: string;
  readonly draft: Draft | undefined;
}) {
  const { currency, draft } = props;
  const spoken = useLanguage();
  const { m } = spoken;
  const client = useClient();
  const [, navigate] = useLocation();
  const [text, setText] = useState(draft?.amount ?? "");
  const [description, setDescription] = useState(draft?.description ?? "");
  const [fault, setFault] = useState<AmountFault>();
  const descriptionId = useId();
  const placing = useAction(
    "createOrder",
    async (order: { amount: MoneyValue; description: string }, options) => {
      const { settle, userId, accept } = client;
      accept([await settle.orders.createOrder({ userId, ...order }, options)]);
      client.said.emit(m.orders.placed(order.description));
      // Keeps a text that was typed for the next order meanwhile.
      setText((now) => (now === text ? "" : now));
      setDescription((now) => (now === description ? "" : now));
      // A filter could hide the new order.
      if (location.search !== "") navigate("/");
      showOrders();
    },
  );
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const parsed = parseAmount(text, currency, spoken.language);
    if ("fault" in parsed) {
      setFault(parsed.fault);
      event.currentTarget.querySelector("input")?.focus();
    } else void placing.run({ amount: parsed.amount, description: description.trim() });
  };
  return (
    <form className="form" onSubmit={submit} noValidate>
      <AmountField
        currency={currency}
        value={text}
        echo={m.orders.willPay}
        onChange={(value) => {
          setText(value);
          setFault(undefined);
          placing.clear();
        }}
        fault={
          fault ? amountFaultText(fault, currency, spoken) : fieldFault(placing.error, "amount", m)
        }
        autoFocus={draft !== undefined}
      />
      <Field
        id={descriptionId}
        label={m.orders.what}
        hint={m.orders.whatHint}
        fault={fieldFault(placing.error, "description", m)}
      >
        <input
          autoComplete="off"
          maxLength={maxDescriptionCharacters}
          value={description}
          onChange={({ target }) => setDescription(target.value)}
        />
      </Field>
      <ErrorNote error={placing.error} shown={["amount", "description"]} once />
      <WorkButton working={placing.working}>{m.orders.place}</WorkButton>
    </form>
  );
});

/** Scrolls to the list, which is below the form on a small screen, to show the order settle. */
function showOrders(): void {
  const title = document.getElementById(ordersTitleId);
  if (title && title.getBoundingClientRect().bottom > innerHeight) title.scrollIntoView();
}
