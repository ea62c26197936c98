import { Suspense, useEffect, useRef, useState } from "react";
import { ReadFailed } from "../action/read-failed.tsx";
import { late } from "../browser/late.tsx";
import { Skeleton } from "../design/skeleton.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { widthOf } from "../money/figure.ts";
import { useAccount } from "./use-account.ts";
import { TopUpDialog } from "./use-top-up.tsx";

const OpenAccountForm = late(() => import("./open-account-form.tsx"));

/** Shows the balance and a button to top up, or a form to open an account. */
export function AccountSection() {
  const { m, format } = useLanguage();
  const { data: account, dataUpdatedAt, error, refetch } = useAccount();
  const [isToppingUp, setToppingUp] = useState(false);
  const topUpButton = useRef<HTMLButtonElement>(null);
  const before = useRef(account);
  useEffect(() => {
    // The form that opened the account is gone, and the focus with it.
    if (before.current === null && account) topUpButton.current?.focus();
    before.current = account;
  }, [account]);
  if (account === undefined) {
    return (
      <section className="account" aria-label={m.account.balance}>
        {error ? <ReadFailed error={error} again={refetch} /> : <Skeleton lines={2} />}
      </section>
    );
  }
  if (account === null) {
    return (
      <Suspense fallback={<Skeleton lines={4} />}>
        <OpenAccountForm />
      </Suspense>
    );
  }
  const balance = account.balance ?? { minorUnits: 0n, currency: "EUR" };
  const parts = format.moneyParts(balance);
  return (
    <section className="account" aria-labelledby="balance-title">
      <h2 id="balance-title" className="kicker">
        {m.account.balance}
      </h2>
      <output className="balance figure" style={widthOf(parts)} aria-live="off">
        {parts.map(({ kind, text }, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text
          <span key={place} className={`balance-${kind}`}>
            {text}
          </span>
        ))}
      </output>
      <p className="small">
        <time dateTime={new Date(dataUpdatedAt).toISOString()}>
          {m.account.asOf(format.time(dataUpdatedAt))}
        </time>
      </p>
      <button ref={topUpButton} type="button" className="quiet" onClick={() => setToppingUp(true)}>
        {m.account.topUp}
      </button>
      {isToppingUp && (
        <Suspense>
          <TopUpDialog currency={balance.currency} onClose={() => setToppingUp(false)} />
        </Suspense>
      )}
    </section>
  );
}
