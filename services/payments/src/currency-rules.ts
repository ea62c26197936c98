import { currenciesDate, currencyOf } from "@settle/gen/money/v1/currencies";

/** What an amount's currency must be. A withdrawn code passes: accounts in it still exist. */
export const knownRule = `must be a code of ISO 4217, as published on ${currenciesDate}`;

/** Whether a code meets {@link knownRule}. */
export function isKnown(code: string): boolean {
  return currencyOf(code) !== undefined;
}

/** What the currency of a new account must be. */
export const openingRule = `must be an active code of ISO 4217 that has minor units, as published on ${currenciesDate}`;

/** Whether a code meets {@link openingRule}. */
export function canOpen(code: string): boolean {
  const currency = currencyOf(code);
  return currency?.active === true && currency.digits !== undefined;
}
