import { DeclineReason, type MoneyValue, type Order } from "@settle/sdk";
import { useLocation } from "wouter";
import { openAccountId } from "../account/open-account-form.tsx";
import { useAccount } from "../account/use-account.ts";
import { useLanguage } from "../i18n/language.tsx";
import { decimalText } from "../money/decimal-text.ts";
import type { Draft } from "./overview-view.tsx";

/** What can be done about a decline, by the view around it: the note goes as soon as the order does. */
export type Remedies = {
  /** Begins a new order with the draft. */
  again(draft: Draft): void;
  /** Begins to top up by what is missing. */
  topUp(missing: MoneyValue): void;
};

/** Why an order was declined and, with `remedies`, what to do next. */
export function DeclineNote(props: {
  readonly order: Order;
  readonly remedies: Remedies | undefined;
}) {
  const { m } = useLanguage();
  const { order, remedies } = props;
  const { declineReason, amount } = order;
  if (declineReason === DeclineReason.INSUFFICIENT_FUNDS && amount && remedies) {
    return <Shortfall order={order} amount={amount} remedies={remedies} />;
  }
  if (declineReason === DeclineReason.CURRENCY_MISMATCH) return <OtherCurrency />;
  return (
    <div className="order-next">
      <p>
        {declineReason === DeclineReason.INSUFFICIENT_FUNDS
          ? m.orders.insufficientFunds
          : declineReason === DeclineReason.ACCOUNT_NOT_FOUND
            ? m.orders.accountNotFound
            : m.orders.declined}
      </p>
      {declineReason === DeclineReason.ACCOUNT_NOT_FOUND && remedies && <OpenAccountButton />}
    </div>
  );
}

function Shortfall(props: {
  readonly order: Order;
  readonly amount: MoneyValue;
  readonly remedies: Remedies;
}) {
  const { m, format } = useLanguage();
  const { order, amount, remedies } = props;
  const balance = useAccount().data?.balance;
  if (balance?.currency !== amount.currency) {
    return <p className="order-next">{m.orders.insufficientFunds}</p>;
  }
  const missing = { ...amount, minorUnits: amount.minorUnits - balance.minorUnits };
  if (missing.minorUnits <= 0n) {
    const draft = { amount: decimalText(amount), description: order.description };
    return (
      <div className="order-next">
        <p>{m.orders.coveredNow}</p>
        <button type="button" className="quiet" onClick={() => remedies.again(draft)}>
          {m.orders.again}
        </button>
      </div>
    );
  }
  return (
    <div className="order-next">
      <p>{m.orders.shortfall(format.money(balance), format.money(amount))}</p>
      <button type="button" className="quiet" onClick={() => remedies.topUp(missing)}>
        {m.account.topUpBy(format.money(missing))}
      </button>
    </div>
  );
}

function OtherCurrency() {
  const { m } = useLanguage();
  const currency = useAccount().data?.balance?.currency;
  return (
    <p className="order-next">
      {currency ? m.orders.currencyMismatch(currency) : m.orders.currencyMismatchPlain}
    </p>
  );
}

function OpenAccountButton() {
  const { m } = useLanguage();
  const { data: account } = useAccount();
  const [, navigate] = useLocation();
  if (account !== null) return null;
  const go = () => {
    navigate("/");
    requestAnimationFrame(() => document.getElementById(openAccountId)?.focus());
  };
  return (
    <button type="button" className="quiet" onClick={go}>
      {m.account.open}
    </button>
  );
}
