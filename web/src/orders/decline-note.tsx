import { DeclineReason, type MoneyValue, type Order } from "@settle/sdk";
import { useLocation } from "wouter";
import { openAccountId } from "../account/open-account-id.ts";
import { useAccount } from "../account/use-account.ts";
import type { Messages } from "../i18n/en.ts";
import type { Format } from "../i18n/format.ts";
import { useLanguage } from "../i18n/language.tsx";
import { amountText } from "../money/amount-text.ts";
import type { Draft } from "./draft.ts";
import { type NextStep, nextStepOf } from "./next-step.ts";

/** The remedies for a decline, provided by the view, because the note disappears with its order. */
export type Remedies = {
  /** Starts a new order with the draft. */
  again(draft: Draft): void;
  /** Starts to top up by the missing amount. */
  topUp(missing: MoneyValue): void;
};

/** Shows why an order was declined and, with `remedies`, what to do next. */
export function DeclineNote(props: {
  readonly order: Order;
  readonly remedies: Remedies | undefined;
}) {
  const { data: account } = useAccount();
  const spoken = useLanguage();
  const { order, remedies } = props;
  const step = remedies && nextStepOf(order, account);
  return (
    <div className="order-next">
      <p>{reasonText(order, step, account?.balance?.currency, spoken)}</p>
      {step && <StepButton order={order} step={step} remedies={remedies} />}
    </div>
  );
}

function reasonText(
  { declineReason, amount }: Order,
  step: NextStep | undefined,
  currency: string | undefined,
  { m, format }: { readonly m: Messages; readonly format: Format },
): string {
  if (step?.kind === "again" && step.isCovered) return m.orders.coveredNow;
  if (step?.kind === "top-up" && amount) {
    return m.orders.shortfall(format.money(step.balance), format.money(amount));
  }
  switch (declineReason) {
    case DeclineReason.INSUFFICIENT_FUNDS:
      return m.orders.insufficientFunds;
    case DeclineReason.ACCOUNT_NOT_FOUND:
      return m.orders.accountNotFound;
    case DeclineReason.CURRENCY_MISMATCH:
      return currency ? m.orders.currencyMismatch(currency) : m.orders.currencyMismatchPlain;
    default:
      return m.orders.declined;
  }
}

function StepButton(props: {
  readonly order: Order;
  readonly step: NextStep;
  readonly remedies: Remedies;
}) {
  const { m, format, language } = useLanguage();
  const { order, step, remedies } = props;
  const { amount, description } = order;
  if (step.kind === "open-account") return <OpenAccountButton />;
  if (step.kind === "top-up") {
    return (
      <button type="button" className="quiet" onClick={() => remedies.topUp(step.missing)}>
        {m.account.topUpBy(format.money(step.missing))}
      </button>
    );
  }
  const draft = { amount: amount ? amountText(amount, language) : "", description };
  return (
    <button type="button" className="quiet" onClick={() => remedies.again(draft)}>
      {amount?.currency === step.currency ? m.orders.again : m.orders.againIn(step.currency)}
    </button>
  );
}

function OpenAccountButton() {
  const { m } = useLanguage();
  const [, navigate] = useLocation();
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
