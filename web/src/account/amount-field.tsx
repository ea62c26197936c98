import { hasMinorUnits } from "@settle/sdk";
import { useId } from "react";
import { Field } from "../design/field.tsx";
import type { Messages } from "../i18n/en.ts";
import type { Format } from "../i18n/format.ts";
import { useLanguage } from "../i18n/language.tsx";
import { amountText } from "../money/amount-text.ts";
import { type AmountFault, digitsOf, maxAmountMinor, parseAmount } from "../money/parse-amount.ts";

/** An input for an amount. It shows the amount that it reads, or what is wrong with it. */
export function AmountField(props: {
  readonly currency: string;
  readonly value: string;
  readonly fault: string | undefined;
  /** Says what will happen with the amount, in words of money. */
  echo(sum: string): string;
  onChange(text: string): void;
  readonly autoFocus?: boolean;
}) {
  const { m, language, format } = useLanguage();
  const { currency, value, fault, echo, onChange } = props;
  const parsed = parseAmount(value, currency, language);
  const hint = "amount" in parsed ? echo(format.money(parsed.amount)) : undefined;
  const unit = hasMinorUnits(currency) ? currency : m.account.minorUnitsOf(currency);
  return (
    <Field
      id={useId()}
      label={m.account.amountIn(unit)}
      fault={fault}
      {...(hint !== undefined && { hint })}
    >
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
  {
    m,
    format,
    language,
  }: { readonly m: Messages; readonly format: Format; readonly language: string },
): string {
  if (fault === "not-a-number" || fault === "ambiguous") {
    const digits = digitsOf(currency);
    const minorUnits = digits === 0 ? 1_250n : 125n * 10n ** BigInt(digits - 1);
    const many = 1_234n * 10n ** BigInt(digits);
    const texts = [minorUnits, many, 1_234n].map((sum) =>
      amountText({ minorUnits: sum, currency }, language),
    );
    const [example = "", whole = "", other = ""] = texts;
    return fault === "ambiguous" ? m.amount[fault](whole, other) : m.amount[fault](example);
  }
  if (fault === "too-many-digits") return m.amount[fault](digitsOf(currency));
  if (fault === "too-large") {
    return m.amount[fault](format.money({ minorUnits: maxAmountMinor, currency }));
  }
  return m.amount[fault];
}
