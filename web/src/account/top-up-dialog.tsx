import type { MoneyValue } from "@settle/sdk";
import { type FormEvent, useState } from "react";
import { ErrorNote, fieldFault } from "../action/error-note.tsx";
import { useAction } from "../action/use-action.ts";
import { WorkButton } from "../action/work-button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { keys } from "../live/order-cache.ts";
import { amountText } from "../money/amount-text.ts";
import { type AmountFault, parseAmount } from "../money/parse-amount.ts";
import { useClient } from "../session/client.ts";
import { AmountField, amountFaultText } from "./amount-field.tsx";

const usualAmounts = ["10", "50", "100"];

/** Tops up the account; closes when the server has confirmed it. */
export default function TopUpDialog(props: {
  readonly currency: string;
  /** The initial amount. */
  readonly amount?: MoneyValue;
  onClose(): void;
}) {
  const spoken = useLanguage();
  const { m, format, language } = spoken;
  const { currency, amount, onClose } = props;
  const client = useClient();
  const [text, setText] = useState(amount ? amountText(amount, language) : "");
  const [fault, setFault] = useState<AmountFault>();
  const topUp = useAction("deposit", async (sum: MoneyValue, options) => {
    const { userId, settle, queries, feed } = client;
    const account = await settle.payments.deposit({ userId, amount: sum }, options);
    queries.setQueryData(keys.account, account);
    feed.deposited();
    if (account.balance) client.said.emit(m.account.toppedUp(format.money(account.balance)));
    onClose();
  });
  const change = (value: string) => {
    setText(value);
    setFault(undefined);
    topUp.clear();
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const parsed = parseAmount(text, currency, language);
    if ("fault" in parsed) {
      setFault(parsed.fault);
      event.currentTarget.querySelector("input")?.focus();
    } else void topUp.run(parsed.amount);
  };
  return (
    <Dialog title={m.account.topUpTitle} onClose={onClose}>
      <form className="form" onSubmit={submit} noValidate>
        <AmountField
          currency={currency}
          value={text}
          echo={m.account.willTopUp}
          onChange={change}
          fault={
            fault ? amountFaultText(fault, currency, spoken) : fieldFault(topUp.error, "amount", m)
          }
          autoFocus
        />
        <fieldset className="choices">
          <legend className="hidden">{m.account.quick}</legend>
          {usualAmounts.map((usual) => {
            const parsed = parseAmount(usual, currency, language);
            return (
              "amount" in parsed && (
                <button key={usual} type="button" className="chip" onClick={() => change(usual)}>
                  {format.money(parsed.amount)}
                </button>
              )
            );
          })}
        </fieldset>
        <ErrorNote error={topUp.error} shown={["amount"]} once />
        <div className="actions">
          <WorkButton working={topUp.working}>{m.account.submit}</WorkButton>
          <button type="button" className="quiet" onClick={onClose}>
            {m.account.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
