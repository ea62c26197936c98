import { currenciesDate, currencyOf } from "@settle/gen/money/v1/currencies";

/** What the currency of a new account must be. */
export const openingRule = `must be an active code of ISO 4217 that has minor units, as published on ${currenciesDate}`;

/** Whether a code meets {@link openingRule}. */
export function canOpen(code: string): boolean {
  const currency = currencyOf(code);
  return currency?.active === true && currency.digits !== undefined;
}
