import { hasMinorUnits } from "@settle/sdk";
import { useId } from "react";
import { Field } from "../design/field.tsx";
import type { Messages } from "../i18n/en.ts";
import type { Format } from "../i18n/format.ts";
import { useLanguage } from "../i18n/language.tsx";
import { type AmountFault, digitsOf, maxAmountMinor } from "../money/parse-amount.ts";

/** An input for an amount. It shows what is wrong with the amount. */
export function AmountField(props: {
  readonly currency: string;
  readonly value: string;
  readonly fault: string | undefined;
  onChange(text: string): void;
  readonly autoFocus?: boolean;
}) {
  const { m } = useLanguage();
  const { currency, value, fault, onChange } = props;
  const unit = hasMinorUnits(currency) ? currency : m.account.minorUnitsOf(currency);
  return (
    <Field id={useId()} label={m.account.amountIn(unit)} fault={fault}>
      <input
        className="amount-input"
        inputMode="decimal"
        autoComplete="off"
        value={value}
        // biome-ignore lint/a11y/noAutofocus: the first field of a dialog that was asked for
        autoFocus={props.autoFocus ?? false}
        onChange={({ target }) => onChange(target.value)}
      />
    </Field>
  );
}

/** Returns the text for a fault of an amount. */
export function amountFaultText(
  fault: AmountFault,
  currency: string,
  { m, format }: { readonly m: Messages; readonly format: Format },
): string {
  if (fault === "too-many-digits") return m.amount[fault](digitsOf(currency));
  if (fault === "too-large") {
    return m.amount[fault](format.money({ minorUnits: maxAmountMinor, currency }));
  }
  return m.amount[fault];
}
