import { AccountAlreadyExistsError } from "@settle/sdk";
import { type FormEvent, useState } from "react";
import { ErrorNote } from "../action/error-note.tsx";
import { useAction } from "../action/use-action.ts";
import { WorkButton } from "../action/work-button.tsx";
import { Field } from "../design/field.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { keys } from "../live/order-cache.ts";
import { useClient } from "../session/client.ts";
import { currencies } from "./currencies.ts";
import { openAccountId } from "./open-account-id.ts";

/** Opens an account in the chosen currency. */
export default function OpenAccountForm() {
  const { m, language } = useLanguage();
  const client = useClient();
  const [currency, setCurrency] = useState<string>(currencies[0]);
  const names = new Intl.DisplayNames(language, { type: "currency" });
  const opening = useAction("createAccount", async (wanted: string, options) => {
    const { userId, settle } = client;
    try {
      const account = await settle.payments.createAccount({ userId, currency: wanted }, options);
      client.queries.setQueryData(keys.account, account);
    } catch (error) {
      if (!(error instanceof AccountAlreadyExistsError)) throw error;
    }
    // Makes all tabs, including this one, reload the account.
    client.feed.deposited();
    client.said.emit(m.account.opened);
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void opening.run(currency);
  };
  return (
    <section className="account" aria-labelledby="open-title">
      <h2 id="open-title">{m.account.none}</h2>
      <p>{m.account.noneNext}</p>
      <form className="form" onSubmit={submit}>
        <Field id={openAccountId} label={m.account.currency}>
          <select value={currency} onChange={({ target }) => setCurrency(target.value)}>
            {currencies.map((code) => (
              <option key={code} value={code}>
                {`${code} · ${names.of(code)}`}
              </option>
            ))}
          </select>
        </Field>
        <ErrorNote error={opening.error} once />
        <WorkButton working={opening.working}>{m.account.open}</WorkButton>
      </form>
    </section>
  );
}
